"""The catalogue's pure rules: reading the item file and the guides, time classes, search by pinyin."""
