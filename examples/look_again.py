"""Captures eight rollouts once, and looks at them twice: side by side, and at the best episode.

    python examples/look_again.py -o eight.mp4 --best best.gif

`capture` runs the policy and paints nothing. What it returns is small, and can be cut, joined with
others and painted as often as you like, without the environment and the policy.
"""

import argparse

from lerax.env.classic_control import CartPole

import lerax_render as lr

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("-o", "--output", default="eight.mp4")
parser.add_argument("--best", default="best.gif")
parser.add_argument("--steps", type=int, default=200)
options = parser.parse_args()

# No policy: actions are sampled. With one, it is capture(env, policy, ...).
replays = lr.capture(CartPole(), steps=options.steps, lanes=8)

video = lr.record(replays, options.output, grid=(2, 4), overlay=["step", "return"])
print(f"{options.output}: {video.num_frames} frames of {video.width}x{video.height}")

episodes = [(replay, episode) for replay in replays for episode in replay.episodes]
replay, best = max(episodes, key=lambda each: each[1].episode_return)
video = lr.record(replay[best.start : best.stop], options.best, width=320, height=240, overlay=True)
print(f"{options.best}: {best.length} actions, a return of {best.episode_return:g}")
