"""What has to be computed: operators, tensors, windows."""
