"""What reviewers ask for beside accuracy: sensitivity, times, learning, images, confusions, consistency, reliability."""
