#!/bin/sh
# Pins what `make` installs: one file of versions and hashes for each purpose, all agreeing with each other.
# torch is left out on purpose: its wheel is chosen for the machine (CPU or GPU) and pinned by version in tools/bootstrap.sh.
set -eu
cd "$(dirname "$0")/.."
without="--no-emit-package torch --no-emit-package triton --no-emit-package cuda-bindings --no-emit-package cuda-pathfinder --no-emit-package cuda-toolkit"
for name in cublas cuda-cccl cuda-cupti cuda-nvrtc cuda-runtime cudnn-cu13 cufft cufile curand cusolver cusparse cusparselt-cu13 nccl-cu13 nvjitlink nvshmem-cu13 nvtx; do
    without="$without --no-emit-package nvidia-$name"
done
compile() { # compile OUTPUT EXTRA...
    output=$1; shift
    extras=""; for extra in "$@"; do extras="$extras --extra $extra"; done
    constraint=""; [ "$output" = test ] || constraint="--constraint requirements/test.lock"
    # shellcheck disable=SC2086
    uv pip compile pyproject.toml requirements/build.in $extras $constraint --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate $without --output-file "requirements/$output.lock" >/dev/null
    echo "requirements/$output.lock"
}
compile test all dev
compile demo fast models
compile docs all dev docs
compile bench all dev bench
