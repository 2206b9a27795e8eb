"""What applications show beside searches: the dates on which titles come out, and from what age on."""
