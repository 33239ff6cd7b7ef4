TITLE = "dear"
