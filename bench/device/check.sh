#!/usr/bin/env bash
# On a machine with a GPU, in one call of some minutes: the kernels against what they must give, the
# same under compute-sanitizer, and what drivers and their peers are made of, timed. Every result is
# in the folder as it comes.
#
#   bench/device/check.sh FOLDER
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?a folder for the results}
mkdir -p "$folder"
compile="nvcc -std=c++20 -fmad=false -Icsrc -arch=native"

$compile -O1 tests/cuda/device_tests.cu -o "$folder/device_tests" &
tests=$!
$compile -O3 bench/device/probes.cu -o "$folder/probes" && timeout 60 "$folder/probes" | tee "$folder/probes.csv"
timeout 240 python3 bench/device/anchors.py | tee "$folder/anchors.csv"

failed=0
wait $tests && timeout 60 "$folder/device_tests" | tee "$folder/tests.txt" || failed=1
for tool in memcheck racecheck synccheck; do
    timeout 60 compute-sanitizer --tool $tool --error-exitcode 9 \
        "$folder/device_tests" all_that_a_thread > "$folder/$tool.txt" 2>&1 || failed=1
    tail -n 3 "$folder/$tool.txt"
done
timeout 120 compute-sanitizer --tool memcheck --error-exitcode 9 \
    "$folder/device_tests" kernels_of_one_step > "$folder/memcheck-steps.txt" 2>&1 || failed=1
tail -n 3 "$folder/memcheck-steps.txt"
exit $failed
