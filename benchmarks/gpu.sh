#!/usr/bin/env bash
# Measures on an NVIDIA GPU (Debian or Ubuntu): installs what is needed, checks that JAX and EGL are on
# the GPU, and writes what it finds into docs/benchmarks.md.
#
#   benchmarks/gpu.sh               everything
#   benchmarks/gpu.sh PART...       painting, encoding or training; writes nothing
#   benchmarks/gpu.sh --rehearse    everything in small, on the CPU, with .venv
#
# JAX for CUDA goes into an environment of its own, .tools/gpu.
set -euo pipefail
cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

die() {
  printf 'gpu.sh: %s\n' "$@" >&2
  exit 1
}

if [[ " $* " == *" --rehearse "* ]]; then
  scripts/setup
  exec .venv/bin/python benchmarks/gpu.py "$@"
fi

driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>&1) ||
  die "there is no NVIDIA GPU here that can be used: ${driver##*$'\n'}" \
    "Remedy: install NVIDIA's driver, until nvidia-smi lists the GPU; start a container with --gpus all." \
    "Without a GPU, make bench measures what there is, and benchmarks/gpu.sh --rehearse tries this script out."
driver=${driver%%.*}
# What JAX's installation guide asks of the driver.
((driver >= 525)) || die "the driver is of version $driver; JAX needs 525 or newer." "Remedy: update the driver."
cuda=cuda13
((driver >= 580)) || cuda=cuda12

scripts/setup # also libegl1 and libopengl0
# Older container toolkits bring the driver's EGL, and not the file that announces it.
vendor=/usr/share/glvnd/egl_vendor.d/10_nvidia.json
if [[ $(/sbin/ldconfig -p) == *libEGL_nvidia.so.0* && ! -e $vendor && ! -e ${vendor/usr\/share/etc} && -w /usr/share ]]; then
  mkdir -p "${vendor%/*}"
  printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "libEGL_nvidia.so.0"}}\n' >"$vendor"
fi
uv=$(scripts/setup --uv)
jax=$(sed -n 's/^jax==\([^ ]*\).*/\1/p' requirements.lock)
wanted=$(cat requirements.lock pyproject.toml benchmarks/gpu.sh <(echo "$PWD $cuda") | sha256sum)
if [[ ! -f .tools/gpu/.ready || $(<.tools/gpu/.ready) != "$wanted" ]]; then
  rm -rf .tools/gpu
  "$uv" venv --quiet --python .venv/bin/python .tools/gpu
  "$uv" pip sync --quiet --python .tools/gpu/bin/python --require-hashes --only-binary :all: requirements.lock
  # CUDA itself has no hashes in the lock; its versions are those that this JAX asks for.
  "$uv" pip install --python .tools/gpu/bin/python --only-binary :all: "jax[$cuda]==$jax"
  "$uv" pip install --quiet --python .tools/gpu/bin/python --no-deps --no-build-isolation --editable .
  echo "$wanted" >.tools/gpu/.ready
fi

.tools/gpu/bin/lerax-render doctor || true # gpu.py says what is missing for this
exec .tools/gpu/bin/python benchmarks/gpu.py "$@"
