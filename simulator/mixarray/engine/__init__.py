"""When each step happens: a Schedule becomes a Timeline."""
