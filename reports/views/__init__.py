"""The pages of the reports: parse the address, one call, answer."""
