// What a model gives in each of the ways that there are, one after the other into a file:
//
//   streams MODEL TYPE T B X LENGTHS OUT PRECISION
//
//   TYPE f or d; X (T, B, I); LENGTHS (B,) or -; PRECISION a number of rnnfast_precision
//
//   y of the whole sequences; unless that is all a model can: the same by a run of a pool, each
//   sequence step by step, in runs, in a pool whose streams take their steps by turns, and their
//   states in the end.
#include <rnnfast.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using Index = std::ptrdiff_t;

template <class T>
std::vector<T> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::vector<T> numbers(bytes.size() / sizeof(T));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(numbers.data()));
  return numbers;
}

template <class T>
class Ways {
 public:
  Ways(const rnnfast::Model<T>& model, Index steps, Index rows, const std::vector<T>& x,
       const std::string& out)
      : model_(model), steps_(steps), rows_(rows), x_(x), out_(out, std::ios::binary) {}

  void whole(const Index* lengths) {
    std::vector<T> y = results();
    model_.run(steps_, rows_, x_.data(), y.data(), lengths);
    write(y);
  }

  void together(const Index* lengths) {
    std::vector<T> y = results();
    rnnfast::Pool<T> pool = model_.pool(rows_);
    std::vector<Index> ids;
    for (Index b = 0; b < rows_; ++b) ids.push_back(pool.open());
    pool.run(ids, steps_, x_.data(), y.data(), lengths);
    write(y);
  }

  void step_by_step() {
    std::vector<T> y = results();
    rnnfast::Session<T> session = model_.session();
    for (Index b = 0; b < rows_; ++b) {
      session.reset();
      for (Index t = 0; t < steps_; ++t) {
        session.step(&x_[at(t, b, model_.inputs())], &y[at(t, b, model_.outputs())]);
      }
    }
    write(y);
  }

  /// The first sequence in runs of 1, 2, 3, ... steps, handed from one session to another.
  void in_runs() {
    std::vector<T> x, y(size(steps_ * model_.outputs()));
    for (Index t = 0; t < steps_; ++t) {
      const auto from = x_.begin() + t * rows_ * model_.inputs();
      x.insert(x.end(), from, from + model_.inputs());
    }
    std::vector<T> state;
    Index length = 1;
    for (Index t = 0; t < steps_; t += length++) {
      if (length > steps_ - t) length = steps_ - t;
      rnnfast::Session<T> session = model_.session();
      if (t > 0) session.set_state(state);
      session.run(length, &x[size(t * model_.inputs())], &y[size(t * model_.outputs())]);
      state = session.state();
    }
    write(y);
  }

  /// Stream b takes a step in every turn that b + 1 divides.
  void by_turns() {
    std::vector<T> y = results();
    rnnfast::Pool<T> pool = model_.pool(rows_ + 1);
    const Index gone = pool.open();
    std::vector<Index> ids, taken(size(rows_), 0);
    for (Index b = 0; b < rows_; ++b) ids.push_back(pool.open());
    pool.close(gone);
    for (Index turn = 1; turn <= steps_ * rows_; ++turn) {
      std::vector<Index> now, stepping;
      std::vector<T> x, got;
      for (Index b = rows_ - 1; b >= 0; --b) {
        if (turn % (b + 1) != 0 || taken[size(b)] == steps_) continue;
        now.push_back(b);
        stepping.push_back(ids[size(b)]);
        const T* from = &x_[at(taken[size(b)], b, model_.inputs())];
        x.insert(x.end(), from, from + model_.inputs());
      }
      got.resize(now.size() * size(model_.outputs()));
      pool.step(stepping, x.data(), got.data());
      for (std::size_t i = 0; i < now.size(); ++i) {
        const T* from = &got[i * size(model_.outputs())];
        std::copy(from, from + model_.outputs(),
                  &y[at(taken[size(now[i])]++, now[i], model_.outputs())]);
      }
    }
    write(y);
    for (const Index id : ids) write(pool.state(id));
  }

 private:
  static std::size_t size(Index count) { return static_cast<std::size_t>(count); }
  std::size_t at(Index t, Index b, Index width) const { return size((t * rows_ + b) * width); }
  std::vector<T> results() const { return std::vector<T>(size(steps_ * rows_ * model_.outputs())); }
  void write(const std::vector<T>& numbers) {
    out_.write(reinterpret_cast<const char*>(numbers.data()),
               static_cast<std::streamsize>(numbers.size() * sizeof(T)));
  }

  const rnnfast::Model<T>& model_;
  Index steps_, rows_;
  const std::vector<T>& x_;
  std::ofstream out_;
};

template <class T>
void run(char** of) {
  const auto precision = static_cast<rnnfast_precision>(std::atoi(of[8]));
  const auto model = rnnfast::Model<T>::load(of[1], precision);
  const std::vector<T> x = read<T>(of[5]);
  const bool has_lengths = std::string(of[6]) != "-";
  const std::vector<Index> lengths = has_lengths ? read<Index>(of[6]) : std::vector<Index>();
  Ways<T> ways(model, std::atol(of[3]), std::atol(of[4]), x, of[7]);
  ways.whole(has_lengths ? lengths.data() : nullptr);
  try {
    model.session();
  } catch (const std::invalid_argument& error) {
    std::printf("%s\n", error.what());
    return;
  }
  ways.together(has_lengths ? lengths.data() : nullptr);
  ways.step_by_step();
  ways.in_runs();
  ways.by_turns();
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count != 9) throw std::invalid_argument("arguments");
    arguments[2][0] == 'f' ? run<float>(arguments) : run<double>(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
