"""What has run: listed, explained, compared, reproduced, pruned."""
