// Handlers as XLA calls them: what they answer, and that whatever is wrong is an error of the
// host's.
#include <cstring>
#include <string>

#include "doors/flat_tape.hpp"
#include "doors/xla/handlers.hpp"
#include "sequences.hpp"

namespace rnnfast {
namespace {

using testing::Sequences;

constexpr Dims small = {7, 3, 4, 5};

std::string last_error;

xla::Error* note_error(xla::ErrorArguments* arguments) {
  last_error = arguments->message;
  return reinterpret_cast<xla::Error*>(&last_error);
}

/// A frame of buffers and one attribute, all of whose parts lie here.
struct Frame {
  xla::Interface host = {
      sizeof(host), nullptr, {sizeof(xla::Version), nullptr, 0, 7}, nullptr, &note_error};
  std::vector<std::int64_t> dims;
  std::vector<xla::Buffer> arguments, results;
  std::vector<xla::Buffer*> argument_places, result_places;
  Words words;
  xla::Array array = {};
  xla::Text name = {"call", 4};
  xla::Text* names[1] = {&name};
  xla::AttributeKind kinds[1] = {xla::AttributeKind::array};
  void* attributes[1] = {&array};
  xla::Call call = {};

  Frame() { dims.reserve(32); }

  xla::Buffer buffer(std::vector<float>& of) {
    dims.push_back(static_cast<std::int64_t>(of.size()));
    return {sizeof(xla::Buffer), nullptr, xla::Type::float32, of.data(), 1, &dims.back()};
  }

  /// What is wrong, or nothing.
  std::string run(xla::Handler* handler) {
    argument_places.clear();
    result_places.clear();
    for (xla::Buffer& one : arguments) argument_places.push_back(&one);
    for (xla::Buffer& one : results) result_places.push_back(&one);
    array = {xla::Type::int64, words.size(), words.data()};
    const auto all = [](std::vector<xla::Buffer*>& places) {
      return xla::Buffers{sizeof(xla::Buffers), nullptr, static_cast<std::int64_t>(places.size()),
                          nullptr, places.data()};
    };
    call = {sizeof(xla::Call),
            call.extensions,
            &host,
            nullptr,
            call.stage,
            all(argument_places),
            all(result_places),
            {sizeof(xla::Attributes), nullptr, 1, kinds, names, attributes}};
    return handler(&call) ? last_error : "";
  }
};

/// A forward pass of a GRU without biases and states.
struct Forward : Frame {
  Sequences<float> of{CellSpec("gru"), small};

  Forward() {
    FlatCall flat = {of.cell, ScalarType::float32, small};
    for (const Operand which : {Operand::x, Operand::w_ih, Operand::w_hh}) flat.has[which] = true;
    words = words_of({flat, plan_flat_ahead(Purpose::inference, flat)});
    arguments = {buffer(of.x), buffer(of.weights[0]), buffer(of.weights[1])};
    results = {buffer(of.y), buffer(of.h_n)};
    call.stage = xla::Stage::execute;
  }
};

TEST(a_handler_of_xla_computes) {
  Forward forward;
  const std::int64_t before = xla::passes();
  CHECK(forward.run(&xla::forward).empty(), "%s", last_error.c_str());
  CHECK(xla::passes() == before + 1, "counted");
  const std::vector<float> y = forward.of.y;
  Sequences<float>& of = forward.of;
  Call call = of.call();
  call.initial = {};
  Weights given = of.given();
  given.arrays[WeightId::b_ih] = given.arrays[WeightId::b_hh] = nullptr;
  cpu_backend().forward(given, call, of.plan(Purpose::inference));
  CHECK(of.y == y, "other bits than the backend's");
}

TEST(a_handler_of_xla_says_which_interface_it_is_of) {
  Forward forward;
  xla::Metadata metadata = {sizeof(metadata), {sizeof(xla::Version), nullptr, -1, -1}, 9};
  xla::MetadataExtension extension = {{sizeof(extension), xla::ExtensionType::metadata, nullptr},
                                      &metadata};
  forward.call.extensions = &extension.base;
  forward.of.y.assign(forward.of.y.size(), 3);
  CHECK(forward.run(&xla::forward).empty(), "no error");
  CHECK(metadata.version.major == 0 && metadata.version.minor == 7, "the host's own");
  CHECK(metadata.traits == 0 && forward.of.y[0] == 3, "and nothing else");
}

TEST(a_handler_of_xla_computes_when_it_is_to_execute) {
  Forward forward;
  forward.of.y.assign(forward.of.y.size(), 3);
  forward.call.stage = static_cast<xla::Stage>(0);
  CHECK(forward.run(&xla::forward).empty() && forward.of.y[0] == 3, "not before");
}

TEST(what_is_wrong_is_an_error_of_xla) {
  const auto says = [](Forward& forward, xla::Handler* handler, const char* what) {
    const std::string error = forward.run(handler);
    CHECK(error.find(what) != std::string::npos, "%s, got: %s", what, error.c_str());
  };
  Forward missing;
  missing.arguments.pop_back();
  says(missing, &xla::forward, "w_hh is missing");
  Forward more;
  more.arguments.push_back(more.arguments[0]);
  says(more, &xla::forward, "more arrays than the call has");
  Forward other_type;
  other_type.arguments[0].type = xla::Type::float64;
  says(other_type, &xla::forward, "x must have 336 bytes");
  Forward shorter;
  std::int64_t size = 3;
  shorter.results[1].dims = &size;
  says(shorter, &xla::forward, "h_n must have 60 bytes");
  Forward damaged;
  damaged.words[7] ^= 1;
  says(damaged, &xla::forward, "is damaged");
  Forward unnamed;
  unnamed.name = {"coal", 4};
  says(unnamed, &xla::forward, "no attribute call");
  Forward inference;
  std::vector<float> bytes(100000);
  inference.results.push_back(inference.buffer(bytes));
  inference.results.back().type = xla::Type::uint8;
  says(inference, &xla::forward_saving, "a plan for inference, a call that saves");
  Forward no_tape;
  says(no_tape, &xla::backward, "the tape is no bytes");
}

}  // namespace
}  // namespace rnnfast
