// Sessions and pools of the C interface.
#include <algorithm>
#include <string>

#include "package/models.hpp"
#include "serving/pool.hpp"
#include "serving/session.hpp"

struct rnnfast_session {
  rnnfast::Session session;
};

struct rnnfast_pool {
  rnnfast::Pool pool;
};

namespace rnnfast {
namespace {

/// body(h or c of a layer, its bytes, where they stand in a state of all layers), for each.
template <class States, class Body>
void for_states(const Model& model, States&& of_layer, Body&& body) {
  const index number = size_of(model.scalar());
  index at = 0;
  const auto one = [&](void* state, index width) {
    if (width > 0) body(static_cast<char*>(state), width * number, at);
    at += width * number;
  };
  for (index layer = 0; layer < model.layers(); ++layer) {
    const auto state = of_layer(layer);
    one(state.h, model.output_width(layer));
    one(state.c, model.memory_width(layer));
  }
}

template <class OfLayer>
void get(const Model& model, OfLayer&& of_layer, void* to) {
  for_states(model, of_layer, [&](const char* state, index bytes, index at) {
    std::copy_n(state, bytes, static_cast<char*>(to) + at);
  });
}

template <class OfLayer>
void set(const Model& model, OfLayer&& of_layer, const void* from) {
  const auto* const given = &required(static_cast<const char*>(from), "state");
  index at = 0;
  for (index layer = 0; layer < model.layers(); ++layer) {
    model.layer(layer).require_state(given + at * size_of(model.scalar()));
    at += model.output_width(layer) + model.memory_width(layer);
  }
  for_states(model, of_layer,
             [&](char* state, index bytes, index at) { std::copy_n(given + at, bytes, state); });
}

auto states_of(const Session& session) {
  return [&](index layer) { return session.state(layer); };
}

auto states_of(const Pool& pool, index id) {
  if (!pool.is_open(id)) throw std::invalid_argument("no open stream " + std::to_string(id));
  return [&pool, id](index layer) { return pool.state(layer, id); };
}

}  // namespace
}  // namespace rnnfast

using namespace rnnfast;

rnnfast_status rnnfast_session_open(const rnnfast_model* model, rnnfast_session** session) {
  return reported([&] {
    required(session, "session") =
        new rnnfast_session{Session(required(model, "model").stack.served())};
  });
}

void rnnfast_session_close(rnnfast_session* session) { delete session; }

void rnnfast_session_step(rnnfast_session* session, const void* x, void* y) {
  session->session.step(x, y);
}

void rnnfast_session_run(rnnfast_session* session, ptrdiff_t steps, const void* x, void* y) {
  const Model& model = session->session.model();
  session->session.run(steps, {x, model.inputs(), 0}, {y, model.outputs(), 0});
}

void rnnfast_session_get_state(const rnnfast_session* session, void* state) {
  get(session->session.model(), states_of(session->session), state);
}

rnnfast_status rnnfast_session_set_state(rnnfast_session* session, const void* state) {
  return reported([&] {
    const Session& of = required(session, "session").session;
    set(of.model(), states_of(of), state);
  });
}

void rnnfast_session_reset(rnnfast_session* session) { session->session.reset(); }

rnnfast_status rnnfast_pool_make(const rnnfast_model* model, ptrdiff_t capacity,
                                 rnnfast_pool** pool) {
  return reported([&] {
    required(pool, "pool") =
        new rnnfast_pool{Pool(required(model, "model").stack.served(), capacity)};
  });
}

void rnnfast_pool_free(rnnfast_pool* pool) { delete pool; }

ptrdiff_t rnnfast_pool_size(const rnnfast_pool* pool) { return pool->pool.size(); }

rnnfast_status rnnfast_pool_open(rnnfast_pool* pool, ptrdiff_t* id) {
  if (!pool || !id) return failed(RNNFAST_INVALID, "pool and id must not be NULL");
  const index opened = pool->pool.open();
  if (opened < 0) return failed(RNNFAST_FULL, "the pool is full; close a stream before");
  *id = opened;
  return RNNFAST_OK;
}

rnnfast_status rnnfast_pool_close(rnnfast_pool* pool, ptrdiff_t id) {
  if (pool && pool->pool.close(id)) return RNNFAST_OK;
  return failed(RNNFAST_INVALID, "no such open stream");
}

rnnfast_status rnnfast_pool_step(rnnfast_pool* pool, const ptrdiff_t* ids, ptrdiff_t count,
                                 const void* x, void* y) {
  return rnnfast_pool_run(pool, ids, count, 1, nullptr, x, y);
}

rnnfast_status rnnfast_pool_run(rnnfast_pool* pool, const ptrdiff_t* ids, ptrdiff_t count,
                                ptrdiff_t steps, const ptrdiff_t* lengths, const void* x, void* y) {
  if (count < 0 || steps < 0) return failed(RNNFAST_INVALID, "count and steps must be at least 0");
  if (!pool || (count > 0 && (!ids || (steps > 0 && (!x || !y))))) {
    return failed(RNNFAST_INVALID, "pool, ids, x and y must not be NULL");
  }
  const index I = pool->pool.model().inputs();
  const index R = pool->pool.model().outputs();
  const PoolStep done =
      pool->pool.run(ids, count, {steps, {x, count * I, I}, {y, count * R, R}, lengths});
  switch (done.outcome) {
    case PoolStep::done:
      return RNNFAST_OK;
    case PoolStep::not_open:
      return failed(RNNFAST_INVALID, "an id is of no open stream");
    case PoolStep::twice:
      return failed(RNNFAST_INVALID, "an id stands there twice");
    case PoolStep::no_length:
      return failed(RNNFAST_INVALID, "a length must be from 0 to the number of steps");
  }
  __builtin_unreachable();
}

rnnfast_status rnnfast_pool_get_state(const rnnfast_pool* pool, ptrdiff_t id, void* state) {
  return reported([&] {
    const Pool& of = required(pool, "pool").pool;
    get(of.model(), states_of(of, id), &required(static_cast<char*>(state), "state"));
  });
}

rnnfast_status rnnfast_pool_set_state(rnnfast_pool* pool, ptrdiff_t id, const void* state) {
  return reported([&] {
    const Pool& of = required(pool, "pool").pool;
    set(of.model(), states_of(of, id), state);
  });
}
