// Feeds the packed W4 array and writes down what its tags say, cycle by cycle. Called through ctypes.
//
// It knows no timing: a beat or row is offered once its gap (cycles in which it could have been taken, but was
// withheld) is over, and until it is taken. Cycle 0 is the first one after reset; the cycles of the reset are noise.

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>

#include "Vpacked_w4_array.h"
#include "verilated.h"

namespace {

constexpr int kResetCycles = 1;  // one has to do
constexpr int kSettleCycles = ROWS + COLUMNS + 8;  // more than anything needs to cross the array

enum ArrayEvent : int64_t { kLoadIssue = 0, kRowIssue = 1, kCompute = 2 };  // as in mixarray.array.events
constexpr int64_t kNoMode = -1;

struct Configuration {
    int32_t policy, load_all_rows, port_bits, noise_seed;
};

struct Beat {
    int32_t gap_cycles, fold, row, used_rows;
    static constexpr int kBytes = COLUMNS;
};

struct Row {
    int32_t gap_cycles, fold, row, mode, both_slots, first, last, address;
    static constexpr int kBytes = 2 * ROWS;
};

struct Line {
    int64_t cycle, event, fold, row, mode, pass;
};

// What the caller hands over: items, and for each its bytes.
struct Offers {
    int64_t count;
    const void* items;
    const uint8_t* data;
};

// What the caller gets: log lines (beyond the limit they are only counted) and accumulator entries.
struct Record {
    int64_t limit_cycles, limit_lines, lines, entries;
    Line* log;
    int32_t* sums;

    void add(const Line& line) {
        if (lines < limit_lines) log[lines] = line;
        ++lines;
    }
};

// A stream of things to offer, each with its gap.
template <typename Item>
struct Stream {
    const Item* items;
    const uint8_t* data;
    int64_t count;
    int64_t next = 0;
    int32_t waited_cycles = 0;

    explicit Stream(const Offers& offers)
        : items(static_cast<const Item*>(offers.items)), data(offers.data), count(offers.count) {}

    bool done() const { return next == count; }
    const Item& item() const { return items[next]; }
    const uint8_t* bytes() const { return data + next * Item::kBytes; }

    // Whether the next item is on offer in this cycle; a cycle of its gap passes only where it could be taken.
    bool offers(bool ready) {
        if (done()) return false;
        if (waited_cycles == item().gap_cycles) return true;
        if (ready) ++waited_cycles;
        return false;
    }

    void take() {
        ++next;
        waited_cycles = 0;
    }
};

// Fills what carries nothing, so that the array cannot rely on it.
template <typename Item>
struct Noise {
    Item item;
    uint8_t bytes[Item::kBytes];

    explicit Noise(std::mt19937& random) {
        auto* words = reinterpret_cast<int32_t*>(&item);
        for (size_t i = 0; i < sizeof(Item) / sizeof(int32_t); ++i) words[i] = random();
        for (auto& byte : bytes) byte = random();
    }
};

using Top = Vpacked_w4_array;

void tick(Top& top) {
    top.clock = 1;
    top.eval();
    top.clock = 0;
    top.eval();
}

void put(Top& top, const Beat& beat, const uint8_t* bytes) {
    top.load_fold = beat.fold;
    top.load_row = beat.row;
    top.load_used_rows = beat.used_rows;
    std::memcpy(&top.load_beat, bytes, Beat::kBytes);
}

void put(Top& top, const Row& row, const uint8_t* codes) {
    top.row_fold = row.fold;
    top.row_row = row.row;
    top.row_mode = row.mode & 3;
    top.row_both_slots = row.both_slots & 1;
    top.row_first = row.first & 1;
    top.row_last = row.last & 1;
    top.row_address = row.address & 0xfff;
    std::memcpy(&top.row_codes, codes, Row::kBytes);
}

template <typename Item>
void disturb(Top& top, std::mt19937& random) {
    const Noise<Item> noise(random);
    put(top, noise.item, noise.bytes);
}

template <typename Item>
void offer(Top& top, bool valid, const Stream<Item>& stream, std::mt19937& random) {
    if (valid)
        put(top, stream.item(), stream.bytes());
    else
        disturb<Item>(top, random);
}

void observe(const Top& top, int64_t cycle, Record& record) {
    if (top.load_issue_valid)
        record.add({cycle, kLoadIssue, top.load_issue_fold, top.load_issue_row, kNoMode, 0});
    if (top.row_issue_valid)
        record.add({cycle, kRowIssue, top.row_issue_fold, top.row_issue_row, top.row_issue_mode, top.row_issue_pass});
    if (top.compute_valid)
        record.add({cycle, kCompute, top.compute_fold, top.compute_row, top.compute_mode, top.compute_pass});
}

// Registers start with noise, tags in flight included, and rows are offered meanwhile: nothing of that may stay.
void reset(Top& top, const Configuration& configuration, std::mt19937& random) {
    top.policy = configuration.policy;
    top.load_all_rows = configuration.load_all_rows;
    top.port_bits = configuration.port_bits;
    top.clock = 0;
    top.reset = 1;
    for (int cycle = 0; cycle < kResetCycles; ++cycle) {
        top.load_valid = random() & 1;
        top.row_valid = random() & 1;
        disturb<Beat>(top, random);
        disturb<Row>(top, random);
        top.eval();
        tick(top);
    }
    top.reset = 0;
    top.load_valid = top.row_valid = 0;
    top.eval();
}

// Offers everything until all is taken and has crossed the array; false if something is left at the limit.
bool feed(Top& top, Stream<Beat> loads, Stream<Row> rows, std::mt19937& random, Record& record) {
    int settled_cycles = 0;
    for (int64_t cycle = 0; settled_cycles < kSettleCycles; ++cycle) {
        if (cycle == record.limit_cycles) return false;
        top.load_valid = loads.offers(top.load_ready);
        top.row_valid = rows.offers(top.row_ready);
        offer(top, top.load_valid, loads, random);
        offer(top, top.row_valid, rows, random);
        top.eval();
        observe(top, cycle, record);
        if (top.load_valid && top.load_ready) loads.take();
        if (top.row_valid && top.row_ready) rows.take();
        tick(top);
        settled_cycles = loads.done() && rows.done() ? settled_cycles + 1 : 0;
    }
    return true;
}

void read_sums(Top& top, const Record& record) {
    for (int64_t entry = 0; entry < record.entries; ++entry) {
        top.result_address = entry;
        top.eval();
        std::memcpy(record.sums + entry * COLUMNS, &top.result, sizeof(int32_t) * COLUMNS);
    }
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int32_t packed_w4_rows() { return ROWS; }
EXPORT int32_t packed_w4_columns() { return COLUMNS; }

// Runs everything through a fresh array whose registers start with noise. 0: done; -1: something was left at the limit.
EXPORT int32_t packed_w4_run(const Configuration* configuration, const Offers* beats, const Offers* rows,
                             Record* record) {
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(configuration->noise_seed);
    std::mt19937 random(configuration->noise_seed);
    const auto top = std::make_unique<Top>(&context);
    reset(*top, *configuration, random);
    const bool done = feed(*top, Stream<Beat>(*beats), Stream<Row>(*rows), random, *record);
    if (done) read_sums(*top, *record);
    top->final();
    return done ? 0 : -1;
}
