#!/usr/bin/env bash
# On a machine with a GPU, in calls of some minutes each: whether the kernels give what they must, and
# the same under compute-sanitizer; or what drivers and their peers are made of, timed. Every result is
# in the folder as it comes.
#
#   bench/device/check.sh right FOLDER
#   bench/device/check.sh doors FOLDER     where rnnfast and its extension for GPUs are installed
#   bench/device/check.sh times FOLDER
set -uo pipefail
cd "$(dirname "$0")/../.."
what=${1:?right, doors or times}
folder=${2:?a folder for the results}
mkdir -p "$folder"
failed=0

# cuBLAS as PyTorch's packages bring it.
libraries=$(python3 -c "import glob, sysconfig
print(*glob.glob(sysconfig.get_path('purelib') + '/nvidia/*/lib'), sep=':')")
export LD_LIBRARY_PATH="$libraries:${LD_LIBRARY_PATH:-}"

right() {
    bench/device/build.sh "$folder" || return 1
    for program in steps passes_float passes_double passes_Float16 passes_Bfloat16; do
        timeout 60 "$folder/$program" | tee "$folder/$program.txt" || failed=1
    done
    for tool in memcheck racecheck synccheck; do
        sanitize $tool steps all_that_a_thread
    done
    sanitize memcheck steps kernels_of_one_step
    sanitize memcheck passes_float the_general_driver_gives
    sanitize memcheck passes_Bfloat16 the_general_driver_gives
    sanitize memcheck passes_float persistent_kernels_give
    sanitize racecheck passes_float persistent_kernels_give
    sanitize memcheck passes_float graphs_of_passes
    sanitize initcheck passes_float graphs_of_passes
}

sanitize() {
    timeout 90 compute-sanitizer --tool "$1" --error-exitcode 9 "$folder/$2" "$3" \
        > "$folder/$1-$2-$3.txt" 2>&1 || failed=1
    tail -n 3 "$folder/$1-$2-$3.txt"
}

doors() {
    timeout 120 python3 bench/device/doors.py --seconds 100 | tee "$folder/doors.txt" || failed=1
    timeout 180 python3 bench/device/modules.py --times | tee "$folder/modules.csv" || failed=1
}

times() {
    nvcc -std=c++20 -fmad=false -Icsrc -arch=native -O3 bench/device/probes.cu -o "$folder/probes" &&
        timeout 60 "$folder/probes" | tee "$folder/probes.csv" || failed=1
    nvcc -std=c++20 -fmad=false -Icsrc -arch=native -O3 bench/device/passes.cu csrc/cuda/blas.cpp -ldl \
        -o "$folder/passes" &&
        timeout 180 "$folder/passes" | tee "$folder/passes.csv" || failed=1
    timeout 240 python3 bench/device/anchors.py | tee "$folder/anchors.csv" || failed=1
}

"$what" || failed=1
exit $failed
