"""What it costs: action counts become energy."""
