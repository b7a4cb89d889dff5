// A matrix W as B of the products of the forward pass, which give parts of slots: a panel after the
// other, each in columns (gemm/columns.hpp), whose vectors are the panel's groups, part by part.
#pragma once

#include "base/team.hpp"
#include "cpu/layout/layout.hpp"
#include "gemm/pack.hpp"

namespace rnnfast {
namespace {

template <class Shape, class F>
struct PanelWeights {
  using T = typename F::Sum;
  using B = typename F::B;
  using L = Layout<Shape, T>;

  L layout;
  Range range = {};  // the parts that the product feeds
  index length = 0;  // K
  B* packed = nullptr;

  void place(Bump& bump) {
    if (layout.units) packed = bump.take<B>(offset(layout.panels() - 1) + size(last_width()));
  }

  /// Vectors of a panel.
  index vectors(index panel) const { return range.count() * layout.width(panel); }
  Columns<F> panel(index panel) const {
    return {packed + offset(panel), elements(), vectors(panel)};
  }

  /// Packs a share of the panels from w (G*H, length). (Inlined, its transposes would be a quarter
  /// of all code.)
  [[gnu::noinline]] void pack(const T* w, const Share& own) const {
    const Span panels = own.of(layout.panels());
    for (index panel = panels.begin; panel < panels.end; ++panel) {
      const index width = layout.width(panel);
      const Columns<F, B> to = {packed + offset(panel), elements(), vectors(panel)};
      index vector = 0;
      for (int part = range.begin; part < range.end; ++part) {
        for (index u = 0; u < width; ++u, ++vector) {
          const index group = panel * L::U + u;
          const index row = Shape::gate_of[part] * layout.units + group * L::N;
          pack_lanes<F>(w + row * length, length, layout.valid(group), length, to.at(vector),
                        to.stride());
        }
      }
      own.worked(to.size(elements(), vectors(panel)));
    }
  }

 private:
  index elements() const { return elements_of<F>(length); }  // of a column
  index size(index width) const { return Columns<F>::size(elements(), range.count() * width); }
  index offset(index panel) const { return panel * size(L::U); }
  index last_width() const { return layout.width(layout.panels() - 1); }
};

}  // namespace
}  // namespace rnnfast
