"""`python -m wisesr.cli`."""

import sys

from wisesr.cli import main

sys.exit(main())
