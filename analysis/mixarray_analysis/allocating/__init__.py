"""Greedy mixed precision: bits of weights and activations, layer by layer, by what a machine gets for them."""
