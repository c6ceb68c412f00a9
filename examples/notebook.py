"""A whole study: stimuli, plans, simulated participants, tests, Fig. 2B, and a network on the same trials."""

import rapidvision as rv

stimulus_set = rv.stimuli.build("bundled", out="set")
study = rv.experiments.plan(stimulus_set, "paper", out="study", n_per_group=12)
trials = rv.experiments.simulate(study, seed=1)
groups = ("clickme", "salicon")

tests = rv.analysis.level_tests(trials, groups=groups, alternative="greater", seed=1)
figure = rv.analysis.fig2b(trials, groups=groups, alternative="greater", seed=1)
figure.save("figures")

network = rv.models.load("compact-gala-maps")
answers = rv.models.observe(network, study)
comparison = rv.analysis.compare(trials, answers, seed=1)
