"""Tests of scores by joint resampling: two and more groups, conditions within participants, covariates, own statistics."""
