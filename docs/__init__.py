"""Pages for readers, and in `site` and `pictures` the code that makes the site and its pictures."""
