// Turns a streamed row into its passes: one, or two in consecutive cycles, slot 0 first.
//
// A row brings the codes of up to 2R values of K: code r is for slot 0 of array row r, code R+r for slot 1.
module packed_w4_row_issue
  import packed_w4_pkg::*;
#(
    parameter int ROWS = 4
) (
    input logic clock,
    input logic reset,

    input  logic allowed,  // the row's tile is in the array
    input  logic buffer,
    output logic ready,

    input row_tag_t                   offered,     // `last`: the fold's last row; its pass and buffer are ours to set
    input logic                       both_slots,  // the fold occupies slot 1 too
    input logic [1:0][ROWS-1:0][7:0]  codes,

    output row_tag_t              tag,
    output logic [ROWS-1:0][7:0]  words
);

  logic held;  // the second pass of the row taken in the cycle before
  row_tag_t held_tag;
  logic [ROWS-1:0][7:0] held_words;

  logic two_passes;
  row_tag_t first_tag;
  logic [1:0][ROWS-1:0][7:0] pass_words;

  assign ready = allowed && !held;
  assign two_passes = offered.mode == MODE_8X8 || (offered.mode == MODE_8X4 && both_slots);

  always_comb begin
    first_tag = offered;
    first_tag.valid = offered.valid && ready;
    first_tag.last = offered.last && !two_passes;
    first_tag.pass = 1'b0;
    first_tag.buffer = buffer;
  end

  for (genvar r = 0; r < ROWS; r++) begin : g_pack
    assign pass_words[0][r] = offered.mode == MODE_4X4 ? {codes[1][r][3:0], codes[0][r][3:0]} : codes[0][r];
    assign pass_words[1][r] = offered.mode == MODE_8X8 ? codes[0][r] : codes[1][r];
  end

  assign tag   = held ? held_tag : first_tag;
  assign words = held ? held_words : pass_words[0];

  always_ff @(posedge clock) begin
    held <= first_tag.valid && two_passes && !reset;
    held_words <= pass_words[1];
    held_tag <= offered;
    held_tag.pass <= 1'b1;
    held_tag.first <= 1'b0;
    held_tag.buffer <= buffer;
  end

endmodule
