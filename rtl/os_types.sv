// Tags of the output-stationary array. They travel with the data; every logged event is read from them.
package os_types;

  // valid: something happens here in this cycle. fold, index: which step of the reduction, or which drain step.
  // first, last: of that fold.
  typedef struct packed {
    logic        valid;
    logic        first;
    logic        last;
    logic [15:0] fold;
    logic [15:0] index;
  } tag_t;

  // Where the next sums may go: once all results are out, once the drain has been issued, or as soon as it has begun.
  typedef enum logic [1:0] {
    SERIAL = 2'd0,
    SINGLE = 2'd1,
    DOUBLE = 2'd2
  } policy_t;

endpackage
