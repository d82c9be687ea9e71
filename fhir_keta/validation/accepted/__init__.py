"""The accept path: records found good by their text alone, and what may vary in it. It begins in ``pieces``."""
