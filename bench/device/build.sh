#!/usr/bin/env bash
# The programs that test a GPU, into a folder:
#
#   steps           what a thread can do, and kernels of one step
#   passes_float    whole sequences by the general driver, beside the CPU's kernels;
#   passes_double   passes_Float16   passes_Bfloat16        of arrays of another type
#
#   bench/device/build.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:?a folder for the programs}
mkdir -p "$folder"
compile="nvcc -std=c++20 -fmad=false -Icsrc -arch=native -O1"

on_the_cpu() {
    cmake -S . -B "$folder/cpu" -DCMAKE_BUILD_TYPE=Release -DRNNFAST_PYTHON=OFF > "$folder/cpu.txt"
    cmake --build "$folder/cpu" --parallel --target rnnfast_api >> "$folder/cpu.txt"
}

on_the_cpu &
of_the_cpu=$!
$compile -c tests/cuda/main.cu -o "$folder/main.o" &
main=$!
types="float double Float16 Bfloat16"
for stored in $types; do
    $compile -DPASS_STORED=$stored -c tests/cuda/device_passes.cu -o "$folder/passes_$stored.o" &
    passes[${#passes[@]}]=$!
done
$compile -c csrc/cuda/blas.cpp -o "$folder/blas.o"
$compile -c tests/cuda/device_tests.cu -o "$folder/steps.o"
wait $main
$compile "$folder/main.o" "$folder/steps.o" -o "$folder/steps"
for job in $of_the_cpu "${passes[@]}"; do wait "$job"; done
for stored in $types; do
    $compile "$folder/main.o" "$folder/passes_$stored.o" "$folder/blas.o" "$folder/cpu/librnnfast_api.a" \
        "$folder/cpu/librnnfast_kernels.a" -lgomp -ldl -o "$folder/passes_$stored"
done
