"""Every layer against something independent of it: the checks of `mixarray validate`, which tests run too."""
