// One processing element: two buffers of two 4-bit slots, and two bricks that multiply 4 by 4 bits.
//
// A row's tag names mode, slot and buffer, so rows of different modes follow each other on the same weights. With
// 4-bit activations each brick takes a code and a slot of its own; with 8-bit ones both bricks take the named slot,
// the low one the low nibble (unsigned), the high one the high nibble (signed, 16-fold).
module packed_w4_pe
  import packed_w4_pkg::*;
(
    input logic clock,
    input logic reset,

    input  row_tag_t row_tag,
    input  word_t    activation,
    output row_tag_t row_tag_right,
    output word_t    activation_right,

    input  load_tag_t load_tag,
    input  word_t     weight,
    output load_tag_t load_tag_below,
    output word_t     weight_below,

    input  sum_t sum,
    output sum_t sum_below
);
  /*verilator no_inline_module*/

  // A nibble as a number: signed, or the unsigned lower half of a wider code.
  function automatic logic signed [4:0] number(logic [3:0] nibble, logic is_signed);
    return {is_signed & nibble[3], nibble};
  endfunction

  // What one pass adds to the column's sum.
  function automatic sum_t product(mode_t mode, logic pass, word_t codes, logic [1:0][3:0] tile);
    logic two_codes = mode == MODE_4X4;
    logic signed_weight = mode != MODE_8X8 || pass;
    logic signed [9:0] low = number(codes[3:0], two_codes) * number(tile[!two_codes && pass], signed_weight);
    logic signed [9:0] high = number(codes[7:4], 1'b1) * number(tile[two_codes || pass], signed_weight);
    return 32'(low) + (two_codes ? 32'(high) : 32'(high) <<< 4);
  endfunction

  logic [1:0][1:0][3:0] slots;  // [buffer][slot]

  always_ff @(posedge clock) begin
    row_tag_right <= row_tag;
    row_tag_right.valid <= row_tag.valid && !reset;
    activation_right <= activation;
    sum_below <= sum + product(row_tag.mode, row_tag.pass, activation, slots[row_tag.buffer]);
  end

  always_ff @(posedge clock) begin
    load_tag_below <= load_tag;
    load_tag_below.valid <= load_tag.valid && load_tag.row != 0 && !reset;
    load_tag_below.row <= load_tag.row - 1;
    weight_below <= weight;
    if (load_tag.valid && load_tag.row == 0) slots[load_tag.buffer] <= weight;
  end

endmodule
