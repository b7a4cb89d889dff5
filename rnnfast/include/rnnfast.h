/* rnnfast from C and C++: recurrent layers over whole sequences, and step by step for many streams.
 *
 *   weights   arrays in a safetensors file, by name
 *   model     a stack of recurrent layers, packed once; it never changes
 *   session   one stream: a state that goes on from step to step
 *   pool      many streams, any of which take their next step together
 *
 * Sizes: T steps, B sequences, I inputs of the first layer, R outputs of the last. Arrays are
 * dense, the last axis adjacent, and hold the model's type, float or double.
 *
 * A model may be used by many threads at once, a session or a pool by one at a time. Steps of
 * sessions and pools are done by the thread that calls, and allocate nothing, lock nothing, wait
 * for nothing.
 *
 * Functions that may fail return a status; `rnnfast_message` then tells why, and what was there
 * before is as it was. Objects are freed by their own function, which takes NULL as well; sessions
 * and pools keep what they need of their model.
 *
 * The C++ below wraps all of it: objects that free themselves, failures that are thrown.
 */
#ifndef RNNFAST_H
#define RNNFAST_H

#include <stddef.h>

#if defined(_WIN32) || defined(RNNFAST_STATIC)
#define RNNFAST_PUBLIC
#else
#define RNNFAST_PUBLIC __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rnnfast_status {
  RNNFAST_OK = 0,
  RNNFAST_INVALID = 1,   /* an argument that cannot be */
  RNNFAST_NO_MEMORY = 2, /* the system gave none */
  RNNFAST_NO_FILE = 3,   /* a file that cannot be read */
  RNNFAST_BAD_FILE = 4,  /* one that does not hold what it should */
  RNNFAST_FULL = 5,      /* no room in a pool */
  RNNFAST_FAILED = 6     /* anything else */
} rnnfast_status;

/* Why the last call of this thread failed; valid until its next failure. */
RNNFAST_PUBLIC const char* rnnfast_message(void);

/* Of the library, "1.2.3"; and the instruction set that it has chosen, "avx512". */
RNNFAST_PUBLIC const char* rnnfast_version(void);
RNNFAST_PUBLIC const char* rnnfast_target(void);

/* How many threads whole sequences use at most; 0: as many as the machine has to spare. */
RNNFAST_PUBLIC rnnfast_status rnnfast_set_threads(int threads);

/* ---- weights ----------------------------------------------------------------------------------
 */

typedef struct rnnfast_weights rnnfast_weights;

/* Memory of the weights. `data` need not be aligned. */
typedef struct rnnfast_array {
  const char* dtype; /* as safetensors has it: "F32" */
  const void* data;
  size_t bytes;
  size_t axes;
  const ptrdiff_t* shape; /* [axes] */
} rnnfast_array;

RNNFAST_PUBLIC rnnfast_status rnnfast_weights_read(const char* path, rnnfast_weights** weights);
RNNFAST_PUBLIC void rnnfast_weights_free(rnnfast_weights* weights);
RNNFAST_PUBLIC rnnfast_status rnnfast_weights_find(const rnnfast_weights* weights, const char* name,
                                                   rnnfast_array* array);

/* ---- models -----------------------------------------------------------------------------------
 */

typedef struct rnnfast_model rnnfast_model;

typedef enum rnnfast_type { RNNFAST_FLOAT32 = 0, RNNFAST_FLOAT64 = 1 } rnnfast_type;

/* What weights are kept in, and multiplied. Inputs, states and results stay float; a model of
 * double takes no other than as it was given. */
typedef enum rnnfast_precision {
  RNNFAST_AS_GIVEN = 0, /* of a file whose weights are whole numbers, RNNFAST_INT8 */
  RNNFAST_BFLOAT16 = 1, /* 8 significant bits, of inputs and h as well where they meet weights */
  RNNFAST_FLOAT16 = 2,  /* 11 significant bits, of weights alone */
  RNNFAST_INT8 = 3 /* whole numbers from -127 to 127, with a scale for each row of weights, and of
                      inputs and h as well: of "lstm", "gru", "gru_reset_before" and "rnn_tanh" */
} rnnfast_precision;

/* A layer. Its weights are read when a model is made, and not afterwards. G gates of H units, in
 * PyTorch's order: i f g o of an LSTM, r z n of a GRU. */
typedef struct rnnfast_layer {
  size_t size; /* sizeof(rnnfast_layer) */
  const char*
      cell; /* "rnn_tanh", "rnn_relu", "lstm", "gru", "gru_reset_before", "mgu", "light_gru" */
  rnnfast_type type;
  ptrdiff_t inputs;     /* I */
  ptrdiff_t units;      /* H */
  ptrdiff_t projection; /* R, of an LSTM whose h is projected; 0: h has H numbers */
  const void* w_ih;     /* (G*H, I) */
  const void* w_hh;     /* (G*H, R) */
  const void* b_ih;     /* (G*H,); NULL: zero */
  const void* b_hh;     /* (G*H,); NULL: zero */
  const void* w_hr;     /* (R, H), where h is projected */
} rnnfast_layer;

/* From a file that `rnnfast.weights.save_weights` has written in Python: any cell, any option. */
RNNFAST_PUBLIC rnnfast_status rnnfast_model_load(const char* path, rnnfast_precision precision,
                                                 rnnfast_model** model);
/* From layers, the first below. */
RNNFAST_PUBLIC rnnfast_status rnnfast_model_make(const rnnfast_layer* layers, size_t count,
                                                 rnnfast_precision precision,
                                                 rnnfast_model** model);
RNNFAST_PUBLIC void rnnfast_model_free(rnnfast_model* model);

RNNFAST_PUBLIC rnnfast_type rnnfast_model_type(const rnnfast_model* model);
RNNFAST_PUBLIC rnnfast_precision rnnfast_model_precision(const rnnfast_model* model);
RNNFAST_PUBLIC ptrdiff_t rnnfast_model_inputs(const rnnfast_model* model);  /* I */
RNNFAST_PUBLIC ptrdiff_t rnnfast_model_outputs(const rnnfast_model* model); /* R */
RNNFAST_PUBLIC size_t rnnfast_model_bytes(const rnnfast_model* model);      /* of packed weights */
/* Numbers of a stream's state: of each layer h, then c where its cell has one. */
RNNFAST_PUBLIC ptrdiff_t rnnfast_model_state_size(const rnnfast_model* model);

/* y (T, B, R) of x (T, B, I): whole sequences, on the library's threads. `before` and `after` hold
 * a state for each sequence (B, state size), or are NULL: zero, and not wanted. `lengths` (B,) says
 * how many steps each sequence takes, from 1 to T; after them y is zero; NULL: all take T.
 * RNNFAST_INVALID for a state whose h is beyond -1 and 1 where weights are RNNFAST_INT8. */
RNNFAST_PUBLIC rnnfast_status rnnfast_model_run(const rnnfast_model* model, ptrdiff_t steps,
                                                ptrdiff_t rows, const void* x,
                                                const ptrdiff_t* lengths, const void* before,
                                                void* y, void* after);

/* ---- sessions ---------------------------------------------------------------------------------
 */

typedef struct rnnfast_session rnnfast_session;

RNNFAST_PUBLIC rnnfast_status rnnfast_session_open(const rnnfast_model* model,
                                                   rnnfast_session** session);
RNNFAST_PUBLIC void rnnfast_session_close(rnnfast_session* session);

/* The next step: y (R,) of x (I,). Cannot fail. */
RNNFAST_PUBLIC void rnnfast_session_step(rnnfast_session* session, const void* x, void* y);
/* The next T steps: y (T, R) of x (T, I). Cannot fail. */
RNNFAST_PUBLIC void rnnfast_session_run(rnnfast_session* session, ptrdiff_t steps, const void* x,
                                        void* y);
/* A state is `rnnfast_model_state_size` numbers. RNNFAST_INVALID for an h beyond -1 and 1 where
 * weights are RNNFAST_INT8. */
RNNFAST_PUBLIC void rnnfast_session_get_state(const rnnfast_session* session, void* state);
RNNFAST_PUBLIC rnnfast_status rnnfast_session_set_state(rnnfast_session* session,
                                                        const void* state);
RNNFAST_PUBLIC void rnnfast_session_reset(rnnfast_session* session); /* to zero */

/* ---- pools ------------------------------------------------------------------------------------
 */

typedef struct rnnfast_pool rnnfast_pool;

RNNFAST_PUBLIC rnnfast_status rnnfast_pool_make(const rnnfast_model* model, ptrdiff_t capacity,
                                                rnnfast_pool** pool);
RNNFAST_PUBLIC void rnnfast_pool_free(rnnfast_pool* pool);
RNNFAST_PUBLIC ptrdiff_t rnnfast_pool_size(const rnnfast_pool* pool); /* streams that are open */

/* A new stream of a state of zero. Its id is never given to another. */
RNNFAST_PUBLIC rnnfast_status rnnfast_pool_open(rnnfast_pool* pool, ptrdiff_t* id);
RNNFAST_PUBLIC rnnfast_status rnnfast_pool_close(rnnfast_pool* pool, ptrdiff_t id);
/* The next step of some streams: y (count, R) of x (count, I). RNNFAST_INVALID, and nothing has
 * changed, where an id is not open or stands there twice. */
RNNFAST_PUBLIC rnnfast_status rnnfast_pool_step(rnnfast_pool* pool, const ptrdiff_t* ids,
                                                ptrdiff_t count, const void* x, void* y);
/* The next T steps of some streams: y (T, count, R) of x (T, count, I). `lengths` (count,) says how
 * many steps each takes, from 0 to T; after them y is zero; NULL: all take T. What is wrong changes
 * nothing, as of a step. */
RNNFAST_PUBLIC rnnfast_status rnnfast_pool_run(rnnfast_pool* pool, const ptrdiff_t* ids,
                                               ptrdiff_t count, ptrdiff_t steps,
                                               const ptrdiff_t* lengths, const void* x, void* y);
RNNFAST_PUBLIC rnnfast_status rnnfast_pool_get_state(const rnnfast_pool* pool, ptrdiff_t id,
                                                     void* state);
RNNFAST_PUBLIC rnnfast_status rnnfast_pool_set_state(rnnfast_pool* pool, ptrdiff_t id,
                                                     const void* state);

#ifdef __cplusplus
} /* extern "C" */
#endif

#if defined(__cplusplus) && !defined(RNNFAST_C_ONLY)
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace rnnfast {
inline namespace package_1 {

class Error : public std::runtime_error {
 public:
  Error(rnnfast_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  rnnfast_status status() const noexcept { return status_; }

 private:
  rnnfast_status status_;
};

/// Throws what a status tells: std::bad_alloc, std::invalid_argument, or Error.
inline void check(rnnfast_status status) {
  switch (status) {
    case RNNFAST_OK:
      return;
    case RNNFAST_NO_MEMORY:
      throw std::bad_alloc();
    case RNNFAST_INVALID:
      throw std::invalid_argument(rnnfast_message());
    default:
      throw Error(status, rnnfast_message());
  }
}

template <class T>
constexpr rnnfast_type type_of() {
  static_assert(std::is_same<T, float>::value || std::is_same<T, double>::value,
                "a model is of float or double");
  return std::is_same<T, float>::value ? RNNFAST_FLOAT32 : RNNFAST_FLOAT64;
}

/// The arrays in a safetensors file.
class Weights {
 public:
  explicit Weights(const std::string& path) {
    rnnfast_weights* made = nullptr;
    check(rnnfast_weights_read(path.c_str(), &made));
    held_.reset(made);
  }

  /// A copy of the numbers of an array, which must be of T.
  template <class T = float>
  std::vector<T> values(const std::string& name) const {
    const rnnfast_array found = array(name);
    const std::string wanted = type_of<T>() == RNNFAST_FLOAT32 ? "F32" : "F64";
    if (found.dtype != wanted) {
      throw std::invalid_argument(name + " is of " + found.dtype + ", not " + wanted);
    }
    std::vector<T> copy(found.bytes / sizeof(T));
    if (found.bytes > 0) std::memcpy(copy.data(), found.data, found.bytes);
    return copy;
  }
  rnnfast_array array(const std::string& name) const {
    rnnfast_array found;
    check(rnnfast_weights_find(held_.get(), name.c_str(), &found));
    return found;
  }

 private:
  struct Free {
    void operator()(rnnfast_weights* one) const noexcept { rnnfast_weights_free(one); }
  };
  std::unique_ptr<rnnfast_weights, Free> held_;
};

/// One stream of a model of T.
template <class T = float>
class Session {
 public:
  /// y (R,) of x (I,).
  void step(const T* x, T* y) noexcept { rnnfast_session_step(held_.get(), x, y); }
  /// y (T, R) of x (T, I).
  void run(ptrdiff_t steps, const T* x, T* y) noexcept {
    rnnfast_session_run(held_.get(), steps, x, y);
  }
  std::vector<T> state() const {
    std::vector<T> numbers(state_size_);
    rnnfast_session_get_state(held_.get(), numbers.data());
    return numbers;
  }
  void set_state(const std::vector<T>& numbers) {
    if (numbers.size() != state_size_) throw std::invalid_argument("a state of another model");
    check(rnnfast_session_set_state(held_.get(), numbers.data()));
  }
  void reset() noexcept { rnnfast_session_reset(held_.get()); }

 private:
  template <class>
  friend class Model;
  struct Close {
    void operator()(rnnfast_session* one) const noexcept { rnnfast_session_close(one); }
  };
  Session(rnnfast_session* made, std::size_t state_size) : held_(made), state_size_(state_size) {}
  std::unique_ptr<rnnfast_session, Close> held_;
  std::size_t state_size_;
};

/// Many streams of a model of T.
template <class T = float>
class Pool {
 public:
  ptrdiff_t open() {
    ptrdiff_t id = 0;
    check(rnnfast_pool_open(held_.get(), &id));
    return id;
  }
  void close(ptrdiff_t id) { check(rnnfast_pool_close(held_.get(), id)); }
  /// y (ids, R) of x (ids, I).
  void step(const std::vector<ptrdiff_t>& ids, const T* x, T* y) {
    check(rnnfast_pool_step(held_.get(), ids.data(), static_cast<ptrdiff_t>(ids.size()), x, y));
  }
  /// y (T, ids, R) of x (T, ids, I); each takes as many steps as its length says, or all T.
  void run(const std::vector<ptrdiff_t>& ids, ptrdiff_t steps, const T* x, T* y,
           const ptrdiff_t* lengths = nullptr) {
    check(rnnfast_pool_run(held_.get(), ids.data(), static_cast<ptrdiff_t>(ids.size()), steps,
                           lengths, x, y));
  }
  std::vector<T> state(ptrdiff_t id) const {
    std::vector<T> numbers(state_size_);
    check(rnnfast_pool_get_state(held_.get(), id, numbers.data()));
    return numbers;
  }
  void set_state(ptrdiff_t id, const std::vector<T>& numbers) {
    if (numbers.size() != state_size_) throw std::invalid_argument("a state of another model");
    check(rnnfast_pool_set_state(held_.get(), id, numbers.data()));
  }
  ptrdiff_t size() const noexcept { return rnnfast_pool_size(held_.get()); }

 private:
  template <class>
  friend class Model;
  struct Free {
    void operator()(rnnfast_pool* one) const noexcept { rnnfast_pool_free(one); }
  };
  Pool(rnnfast_pool* made, std::size_t state_size) : held_(made), state_size_(state_size) {}
  std::unique_ptr<rnnfast_pool, Free> held_;
  std::size_t state_size_;
};

/// A layer whose weights lie in vectors of the caller's, as `rnnfast_layer` has it.
template <class T>
rnnfast_layer layer(const char* cell, ptrdiff_t inputs, ptrdiff_t units, const std::vector<T>& w_ih,
                    const std::vector<T>& w_hh, const std::vector<T>& b_ih,
                    const std::vector<T>& b_hh) {
  rnnfast_layer made = {};
  made.size = sizeof(made);
  made.cell = cell;
  made.type = type_of<T>();
  made.inputs = inputs;
  made.units = units;
  made.w_ih = w_ih.data();
  made.w_hh = w_hh.data();
  made.b_ih = b_ih.empty() ? nullptr : b_ih.data();
  made.b_hh = b_hh.empty() ? nullptr : b_hh.data();
  return made;
}

/// A stack of recurrent layers of T.
template <class T = float>
class Model {
 public:
  static Model load(const std::string& path, rnnfast_precision precision = RNNFAST_AS_GIVEN) {
    rnnfast_model* made = nullptr;
    check(rnnfast_model_load(path.c_str(), precision, &made));
    return Model(made);
  }
  explicit Model(const std::vector<rnnfast_layer>& layers,
                 rnnfast_precision precision = RNNFAST_AS_GIVEN)
      : Model(made_of(layers, precision)) {}

  ptrdiff_t inputs() const noexcept { return rnnfast_model_inputs(held_.get()); }
  ptrdiff_t outputs() const noexcept { return rnnfast_model_outputs(held_.get()); }
  std::size_t bytes() const noexcept { return rnnfast_model_bytes(held_.get()); }

  Session<T> session() const {
    rnnfast_session* made = nullptr;
    check(rnnfast_session_open(held_.get(), &made));
    return Session<T>(made, state_size());
  }
  Pool<T> pool(ptrdiff_t capacity) const {
    rnnfast_pool* made = nullptr;
    check(rnnfast_pool_make(held_.get(), capacity, &made));
    return Pool<T>(made, state_size());
  }
  /// y (T, B, R) of x (T, B, I), from states of zero.
  void run(ptrdiff_t steps, ptrdiff_t rows, const T* x, T* y,
           const ptrdiff_t* lengths = nullptr) const {
    check(rnnfast_model_run(held_.get(), steps, rows, x, lengths, nullptr, y, nullptr));
  }
  const rnnfast_model* get() const noexcept { return held_.get(); }

 private:
  struct Free {
    void operator()(rnnfast_model* one) const noexcept { rnnfast_model_free(one); }
  };
  explicit Model(rnnfast_model* made) : held_(made) {
    if (rnnfast_model_type(made) != type_of<T>()) {
      throw std::invalid_argument("the weights are not of the model's type");
    }
  }
  static rnnfast_model* made_of(const std::vector<rnnfast_layer>& layers,
                                rnnfast_precision precision) {
    rnnfast_model* made = nullptr;
    check(rnnfast_model_make(layers.data(), layers.size(), precision, &made));
    return made;
  }
  std::size_t state_size() const {
    return static_cast<std::size_t>(rnnfast_model_state_size(held_.get()));
  }
  std::unique_ptr<rnnfast_model, Free> held_;
};

}  // namespace package_1
}  // namespace rnnfast
#endif /* C++ */

#endif /* RNNFAST_H */
