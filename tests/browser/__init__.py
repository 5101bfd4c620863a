"""The pages in a real browser, against one running system that all these tests share."""
