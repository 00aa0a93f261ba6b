"""The pages of the docs site, of docs/, the READMEs, conf/ and signatures: `python -m docs.site` (`make site`)."""
