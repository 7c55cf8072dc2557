// The vocabulary of the packed W4 array: modes, weight-loading policies, and the tags that travel with the data.
package packed_w4_pkg;

  // Streaming bits x stationary bits.
  typedef enum logic [1:0] {
    MODE_4X4 = 2'd0,  // both slots in one pass
    MODE_8X4 = 2'd1,  // one pass per occupied slot
    MODE_8X8 = 2'd2   // the slots hold the nibbles of one value: two passes, the second counts 16-fold
  } mode_t;

  // When the next tile may enter: after the array has drained, after the last row has been issued, or meanwhile.
  typedef enum logic [1:0] {
    LOAD_SERIAL = 2'd0,
    LOAD_SINGLE = 2'd1,
    LOAD_DOUBLE = 2'd2
  } policy_t;

  typedef logic [15:0] number_t;

  localparam int ADDRESS_BITS = 12;
  typedef logic [ADDRESS_BITS-1:0] address_t;

  typedef logic [7:0] word_t;  // activation: one code of 8 bits, or two of 4; weight: slot 1, slot 0
  typedef logic signed [31:0] sum_t;

  // Travels with one pass of a streamed row, from PE to PE, to the accumulators.
  typedef struct packed {
    logic     valid;
    logic     last;     // the last pass of the fold's last row
    mode_t    mode;
    logic     pass;     // the slot that this pass multiplies (MODE_4X4: both)
    logic     buffer;   // the weight buffer that holds the fold's tile
    logic     first;    // replaces what the accumulator holds
    number_t  fold;
    number_t  row;
    address_t address;  // accumulator entry
  } row_tag_t;

  // Travels with one row of weights, down the columns; `row` counts the rows that it still has to go.
  typedef struct packed {
    logic    valid;
    logic    last;    // the tile's last row
    logic    buffer;
    number_t fold;
    number_t row;
  } load_tag_t;

endpackage
