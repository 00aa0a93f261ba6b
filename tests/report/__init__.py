"""Tests of wisesr.report."""
