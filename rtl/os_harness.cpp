// Feeds folds to the output-stationary array and writes down what its tags say, cycle by cycle.
//
// Cycle 0 is the first one after reset. Whatever is not valid in a cycle carries noise, so nothing that the array
// should ignore can help it; the cycles of the reset are noise altogether. Nothing here knows a timing rule: a beat is
// offered when the array has room for it.
#include <cstdint>
#include <cstring>
#include <memory>

#include "Vos_array.h"
#include "verilated.h"

namespace {

constexpr int kResetCycles = 1;  // one has to do
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
  int32_t policy, drain_all, port_bits, noise_seed;
};

// Per fold: depth (steps) and height (rows with sums). Per step: `beats` beats, and ROWS activations that come with the
// last of them. Per beat: gap (cycles withheld) and COLUMNS bytes, of which the port takes the low bits.
struct Folds {
  int32_t count, beats;
  const int32_t *depth, *height, *gap;
  const int8_t *activations;
  const uint8_t *weights;
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

// Every input that a step may bring is noise.
void disturb(Vos_array &top, Noise &noise) {
  uint8_t beat[COLUMNS];
  for (auto &byte : beat) byte = noise();
  std::memcpy(&top.weight_beat, beat, COLUMNS);
  for (int r = 0; r < ROWS; r++) top.activation[r] = noise();
  top.first = noise() & 1;
  top.last = noise() & 1;
  top.fold = noise();
  top.index = noise();
  top.height = noise();
}

class Feeder {
 public:
  Feeder(const Folds &folds, Noise &noise) : folds_(folds), noise_(noise) {}

  bool done() const { return fold_ == folds_.count; }

  // Offers the next beat if there is room and it is not withheld: then it is taken. Everything else is noise.
  bool offer(Vos_array &top) {
    disturb(top, noise_);
    top.valid = 0;
    top.eval();
    if (done() || !top.room) return false;
    if (waited_ < folds_.gap[beat_]) {
      waited_++;
      return false;
    }
    present(top);
    return true;
  }

  void taken() {
    waited_ = 0;
    if (++beat_ % folds_.beats) return;
    if (++index_ < folds_.depth[fold_]) return;
    fold_++;
    index_ = 0;
  }

 private:
  void present(Vos_array &top) {
    const int64_t step = beat_ / folds_.beats;
    const bool complete = (beat_ + 1) % folds_.beats == 0;
    for (int r = 0; r < ROWS && complete; r++) top.activation[r] = folds_.activations[step * ROWS + r];
    std::memcpy(&top.weight_beat, folds_.weights + beat_ * COLUMNS, COLUMNS);
    top.first = index_ == 0;
    top.last = index_ + 1 == folds_.depth[fold_];
    top.fold = fold_;
    top.index = index_;
    top.height = folds_.height[fold_];
    top.valid = 1;
  }

  const Folds &folds_;
  Noise &noise_;
  int fold_ = 0, index_ = 0, waited_ = 0;
  int64_t beat_ = 0;
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

void reset(Vos_array &top, const Configuration &configuration, Noise &noise) {
  top.policy = configuration.policy;
  top.drain_all = configuration.drain_all;
  top.port_bits = configuration.port_bits;
  top.clock = 0;
  top.reset = 1;
  for (int cycle = 0; cycle < kResetCycles; cycle++) {
    disturb(top, noise);
    top.valid = noise() & 1;
    top.eval();
    tick(top);
  }
  top.reset = 0;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int os_array_rows() { return ROWS; }
EXPORT int os_array_columns() { return COLUMNS; }

// Runs all folds: 0 (then `record` is filled), or a Failure.
EXPORT int os_array_run(const Configuration *configuration, const Folds *folds, Record *record) {
  const auto context = std::make_unique<VerilatedContext>();
  context->randReset(2);  // registers start with noise, not zeros: so do the tags that the reset has to clear
  context->randSeed(configuration->noise_seed);
  Vos_array top(context.get());
  Noise noise{uint32_t(configuration->noise_seed) | 1};
  reset(top, *configuration, noise);

  Feeder feeder(*folds, noise);
  Scribe scribe(*record, folds->count);
  for (int64_t cycle = 0, quiet = 0; quiet < kQuietCycles; cycle++) {
    if (cycle == record->max_cycles) return kTooManyCycles;
    const bool offered = feeder.offer(top);
    top.eval();
    bool active = false;
    if (const int failure = scribe.observe(top, cycle, active)) return failure;
    tick(top);
    if (offered) feeder.taken();
    quiet = active || !feeder.done() ? 0 : quiet + 1;
  }
  return 0;
}
