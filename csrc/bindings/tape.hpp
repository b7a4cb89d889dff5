// What a forward pass keeps, as Python holds it.
#pragma once

#include "bindings/calls.hpp"

namespace rnnfast {

/// What a forward pass keeps for its backward passes: all, or checkpoints if its plan was made for
/// them.
class Tape {
 public:
  Tape(const CellChoice& cell, Scalar scalar, Purpose purpose, const Dims& dims,
       const PlanSegment& plan, std::vector<SequenceRow> rows, Arena saved)
      : cell_(cell),
        scalar_(scalar),
        purpose_(purpose),
        dims_(dims),
        plan_(plan),
        rows_(std::move(rows)),
        saved_(std::move(saved)) {}

  std::size_t bytes() const { return saved_.size(); }

  void backward(const py::array& x, const py::tuple& weights, const py::object& resets,
                const py::object& masks, index truncate, const py::object& dy,
                const py::object& dh_n, const py::object& dc_n, const py::object& dx,
                const py::tuple& gradients, const py::object& dh0, const py::object& dc0) const {
    with_scalar(scalar_, [&](auto scalar) {
      using T = decltype(scalar);
      require_of<T>("x", x, {dims_.steps, dims_.rows, dims_.inputs});
      require_of<T>("dx", dx, {dims_.steps, dims_.rows, dims_.inputs});
      require_of<T>("dy", dy, {dims_.steps, dims_.rows, outputs_of(dims_)});
      require_of<bool>("resets", resets, {dims_.steps, dims_.rows});
      const BackwardCall<T> call = {dims_,
                                    sequence<const T>(x),
                                    weights_of<const T>(weights),
                                    sequence<const T>(dy),
                                    {pointer<const T>(dh_n), pointer<const T>(dc_n)},
                                    gradients_of<T>(dx, gradients, dh0, dc0),
                                    rows_.empty() ? nullptr : rows_.data(),
                                    sequence<const bool>(resets),
                                    masks_of<T>(masks),
                                    truncate,
                                    cell_.activations()};
      run(call);
    });
  }

  const Dims& dims() const { return dims_; }

  template <class T>
  const CellKernels<T>& kernels() const {
    return cell_.kernels<T>();
  }

  /// Without options: `x` and all else as the kernel wants it.
  template <class T>
  void run(Sequence<const T> x, const WeightSet<const T>& weights, Sequence<const T> dy,
           States<const T> d_last, const Gradients<T>& out) const {
    run<T>({dims_, x, weights, dy, d_last, out, nullptr, {}, {}, 0, cell_.activations()});
  }

  void trace(const py::tuple& weights, const py::array& gates, const py::object& c) const {
    with_scalar(scalar_, [&](auto scalar) {
      using T = decltype(scalar);
      const TraceCall<T> call = {weights_of<const T>(weights), sequence<T>(gates), sequence<T>(c),
                                 rows_.empty() ? nullptr : rows_.data(), cell_.activations()};
      require_of<T>("gates", gates,
                    {dims_.steps, dims_.rows, cell_.kernels<T>().traits.gates, dims_.units});
      without_gil([&] { cell_.kernels<T>().trace(call, dims_, plan_, saved_.data()); });
    });
  }

 private:
  template <class T>
  void run(const BackwardCall<T>& call) const {
    const CellKernels<T>& kernels = cell_.kernels<T>();
    const auto backward =
        purpose_ == Purpose::training ? kernels.backward : kernels.backward_from_checkpoints;
    without_gil([&] { backward(call, plan_, saved_.data()); });
  }

  CellChoice cell_;
  Scalar scalar_;
  Purpose purpose_;
  Dims dims_;
  PlanSegment plan_;
  std::vector<SequenceRow> rows_;
  Arena saved_;
};

}  // namespace rnnfast
