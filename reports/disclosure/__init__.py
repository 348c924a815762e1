"""The only maker of publishable cells: tabulation, thresholds, density and keyed random rounding. Pure."""
