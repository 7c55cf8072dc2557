// Feeds folds to the output-stationary array and writes down what its tags say, cycle by cycle.
//
// Cycle 0 is the first one after reset. Whatever is not valid in a cycle carries noise, so nothing that the array
// should ignore can help it. Nothing here knows a timing rule: a step is offered when the array has room for it.
#include <cstdint>
#include <memory>

#include "Vos_array.h"
#include "verilated.h"

namespace {

constexpr int kResetCycles = 2;
constexpr int kQuietCycles = 2 * (ROWS + COLUMNS);  // nothing travels longer than this without being seen

enum Event { kRowIssue = 1, kCompute = 2, kDrainIssue = 3, kResult = 4 };  // as ArrayEvent
enum Failure { kTooManyCycles = -1, kTooManyEvents = -2, kStrayResult = -3 };

struct Tag {  // tag_t of os_types.sv
  bool valid;
  int fold, index;
  explicit Tag(uint64_t bits) : valid(bits >> 34 & 1), fold(bits >> 16 & 0xffff), index(bits & 0xffff) {}
};

struct Noise {
  uint32_t state;
  uint32_t operator()() {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
  }
};

}  // namespace

extern "C" {

struct Configuration {
  int32_t policy, drain_all, port_lanes, noise_seed;
};

// Per fold: depth (steps) and height (rows with sums). Per step: gap (cycles withheld), ROWS activations, COLUMNS weights.
struct Folds {
  int32_t count;
  const int32_t *depth, *height, *gap;
  const int8_t *activations, *weights;
};

// log: rows of (cycle, event, fold, row). results, arrivals: [fold][array row][column]; arrivals counts the values.
struct Record {
  int64_t max_cycles, max_events, events;
  int64_t *log;
  int32_t *results;
  uint8_t *arrivals;
};
}

namespace {

class Feeder {
 public:
  Feeder(const Folds &folds, int lanes, uint32_t seed) : folds_(folds), lanes_(lanes), noise_{seed | 1} { enter(); }

  bool done() const { return fold_ == folds_.count; }

  // Offers the next beat if there is room and it is not withheld; everything else is noise.
  bool offer(Vos_array &top) {
    for (int r = 0; r < ROWS; r++) top.activation[r] = noise_();
    for (int c = 0; c < COLUMNS; c++) top.weight[c] = noise_();
    top.first = noise_() & 1;
    top.last = noise_() & 1;
    top.fold = noise_();
    top.index = noise_();
    top.height = noise_();
    top.valid = 0;
    top.eval();
    if (done() || !top.room) return false;
    if (gap_ > 0) {
      gap_--;
      return false;
    }
    present(top);
    return true;
  }

  void taken(bool complete) {
    beat_++;
    if (!complete) return;
    step_++;
    if (++index_ == folds_.depth[fold_]) {
      fold_++;
      index_ = 0;
    }
    enter();
  }

 private:
  void enter() {
    beat_ = 0;
    if (!done()) gap_ = folds_.gap[step_];
  }

  void present(Vos_array &top) {
    const bool complete = top.complete;
    for (int r = 0; r < ROWS && complete; r++) top.activation[r] = folds_.activations[step_ * ROWS + r];
    for (int lane = 0; lane < lanes_ && beat_ * lanes_ + lane < COLUMNS; lane++)
      top.weight[lane] = folds_.weights[step_ * COLUMNS + beat_ * lanes_ + lane];
    top.first = index_ == 0;
    top.last = index_ + 1 == folds_.depth[fold_];
    top.fold = fold_;
    top.index = index_;
    top.height = folds_.height[fold_];
    top.valid = 1;
  }

  const Folds &folds_;
  const int lanes_;
  Noise noise_;
  int fold_ = 0, index_ = 0, beat_ = 0, gap_ = 0;
  int64_t step_ = 0;
};

class Scribe {
 public:
  Scribe(Record &record, int folds) : record_(record), folds_(folds) { record_.events = 0; }

  // Writes down the tags of this cycle: 0, or a Failure. `active` tells whether there was anything.
  int observe(const Vos_array &top, int64_t cycle, bool &active) {
    const int64_t before = record_.events;
    note(Tag(top.step_issue), kRowIssue, cycle);
    note(Tag(top.step_corner), kCompute, cycle);
    note(Tag(top.drain_issue), kDrainIssue, cycle);
    note(Tag(top.drain_corner), kResult, cycle);
    active = record_.events > before;
    if (record_.events > record_.max_events) return kTooManyEvents;
    for (int c = 0; c < COLUMNS; c++) {
      const Tag tag(top.result_tag[c]);
      if (!tag.valid) continue;
      if (tag.fold >= folds_ || tag.index >= ROWS) return kStrayResult;
      const int64_t place = (int64_t(tag.fold) * ROWS + ROWS - 1 - tag.index) * COLUMNS + c;
      record_.results[place] = top.result[c];
      record_.arrivals[place]++;
      active = true;
    }
    return 0;
  }

 private:
  void note(const Tag &tag, Event event, int64_t cycle) {
    if (!tag.valid) return;
    if (record_.events < record_.max_events) {
      int64_t *row = record_.log + 4 * record_.events;
      row[0] = cycle;
      row[1] = event;
      row[2] = tag.fold;
      row[3] = tag.index;
    }
    record_.events++;
  }

  Record &record_;
  const int folds_;
};

void tick(Vos_array &top) {
  top.clock = 1;
  top.eval();
  top.clock = 0;
  top.eval();
}

}  // namespace

// Runs all folds: 0 (then `record` is filled), or a Failure.
extern "C" __attribute__((visibility("default"))) int os_array_run(const Configuration *configuration,
                                                                   const Folds *folds, Record *record) {
  const auto context = std::make_unique<VerilatedContext>();
  context->randReset(2);  // registers start with noise, not zeros
  context->randSeed(configuration->noise_seed);
  Vos_array top(context.get());
  top.policy = configuration->policy;
  top.drain_all = configuration->drain_all;
  top.port_lanes = configuration->port_lanes;
  top.valid = 0;
  top.clock = 0;
  top.reset = 1;
  for (int cycle = 0; cycle < kResetCycles; cycle++) tick(top);
  top.reset = 0;

  Feeder feeder(*folds, configuration->port_lanes, configuration->noise_seed);
  Scribe scribe(*record, folds->count);
  for (int64_t cycle = 0, quiet = 0; quiet < kQuietCycles; cycle++) {
    if (cycle == record->max_cycles) return kTooManyCycles;
    const bool offered = feeder.offer(top);
    top.eval();
    const bool complete = top.complete;
    bool active = false;
    if (const int failure = scribe.observe(top, cycle, active)) return failure;
    tick(top);
    if (offered) feeder.taken(complete);
    quiet = active || !feeder.done() ? 0 : quiet + 1;
  }
  return 0;
}
