"""What others measured on machines that ours does not model, beside the nearest thing it can run: never a verdict."""
