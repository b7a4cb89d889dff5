#include "doors/tensorflow/shapes.hpp"

#include <memory>

#include "doors/flat_call.hpp"
#include "doors/tensorflow/status.hpp"

namespace rnnfast::tensorflow {
namespace {

struct DeleteShape {
  void operator()(TF_ShapeHandle* shape) const { c_api().delete_shape(shape); }
};
using StaticShape = std::unique_ptr<TF_ShapeHandle, DeleteShape>;

/// Shapes of one node.
class Shapes {
 public:
  Shapes(TF_ShapeInferenceContext* of, TF_Status* status) : of_(of), status_(status) {}

  StaticShape input(Operand which, int rank) const {
    StaticShape any(c_api().new_shape());
    c_api().get_input_shape(of_, static_cast<int>(which), any.get(), status_);
    check(status_);
    StaticShape ranked(c_api().new_shape());
    c_api().with_rank(of_, any.get(), rank, ranked.get(), status_);
    check(status_);
    return ranked;
  }

  StaticShape part(const StaticShape& shape, int begin, int end) const {
    StaticShape found(c_api().new_shape());
    c_api().subshape(of_, shape.get(), begin, end, found.get(), status_);
    check(status_);
    return found;
  }

  StaticShape joined(const StaticShape& first, const StaticShape& last) const {
    StaticShape whole(c_api().new_shape());
    c_api().concatenate(of_, first.get(), last.get(), whole.get(), status_);
    check(status_);
    return whole;
  }

  StaticShape any_size() const {
    return StaticShape(c_api().vector_shape(of_, static_cast<std::size_t>(-1)));
  }

  void set(int output, const StaticShape& shape) const {
    c_api().set_output_shape(of_, output, shape.get(), status_);
    check(status_);
  }

  void set_all_unknown() const {
    c_api().set_unknown_shape(of_, status_);
    check(status_);
  }

 private:
  TF_ShapeInferenceContext* of_;
  TF_Status* status_;
};

}  // namespace

void infer_forward(TF_ShapeInferenceContext* of, TF_Status* status) {
  guarded(status, [&] {
    const Shapes shapes(of, status);
    const StaticShape x = shapes.input(Operand::x, 3);
    const StaticShape width = shapes.part(shapes.input(Operand::w_hh, 2), 1, 2);
    shapes.set_all_unknown();
    shapes.set(0, shapes.joined(shapes.part(x, 0, 2), width));
    shapes.set(1, shapes.joined(shapes.any_size(), width));
  });
}

void infer_backward(TF_ShapeInferenceContext* of, TF_Status* status) {
  guarded(status, [&] { Shapes(of, status).set_all_unknown(); });
}

}  // namespace rnnfast::tensorflow
