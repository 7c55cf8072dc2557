"""What came out: typed, versioned results with units in their names, and their writers."""
