#!/usr/bin/env bash
# One idea from the template `epidemic` to an audited PDF and its review, with the embedded model and no key.
# Usage: scripts/demo.sh NOVUM [flags for `novum run`]
set -euo pipefail

novum=$1
shift
echo "make demo: 1. get the embedded model once (1.1 GB; a minute or two on a fast line)"
echo "           2. check this machine (seconds)"
echo "           3. carry one idea through every phase on this machine's cores (at most 15 minutes on two)"
SECONDS=0
"$novum" models pull
"$novum" doctor --template epidemic
echo "make demo: ready after ${SECONDS} s; now the study."
SECONDS=0
"$novum" run epidemic "$@"
newest=$(ls -td "${NOVUM_LAB:-lab}"/studies/*/ | sed -n 1p)
newest=${newest%/}
echo "make demo: done in $((SECONDS / 60)) min $((SECONDS % 60)) s."
echo "           paper:  $newest/paper/paper.pdf"
echo "           audit:  $newest/paper/audit.json"
echo "           again:  $novum replay $(basename "$newest")   # without model and network, byte for byte"
