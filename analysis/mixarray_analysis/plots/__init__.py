"""The pictures: one file per plot; each takes a frame and `ax=`, and returns figure and axes."""
