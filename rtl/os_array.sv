// The INT8 output-stationary array: sums stay, activations enter from the left, weights from the top.
//
// A step (one column of activations, one row of weights) that enters in cycle s computes at PE(r,c) in cycle s+r+c; a
// drain step acts likewise. The tile of sums lies on the last rows. Outputs named *_issue and *_corner are the tags at
// PE(0,0) and PE(R-1,C-1) in the cycle in which they act there; `result` leaves the bottom of each column with its tag.
// At PE(0,0) no register lies between the maker of a tag and its reading: what proves an issue is the same tag at the
// corner, where it comes out of R+C-2 registers of the datapath.
module os_array
  import os_types::*;
#(
    parameter int ROWS    = 4,
    parameter int COLUMNS = 4
) (
    input logic clock,
    input logic reset,

    // configuration
    input policy_t        policy,
    input logic           drain_all,
    input logic    [15:0] port_bits,

    // one step, offered beat by beat; taken when valid & room
    input  logic               valid,
    output logic               room,
    input  logic               first,
    input  logic               last,
    input  logic        [15:0] fold,
    input  logic        [15:0] index,
    input  logic        [15:0] height,
    input  logic signed [ 7:0] activation[ROWS],
    input  logic        [8*COLUMNS-1:0] weight_beat,

    output tag_t               step_issue,
    output tag_t               step_corner,
    output tag_t               drain_issue,
    output tag_t               drain_corner,
    output tag_t               result_tag [COLUMNS],
    output logic signed [31:0] result     [COLUMNS]
);

  logic                 issue;  // the last beat of a step is taken
  tag_t                 drain;
  logic [8*COLUMNS-1:0] weight_row;

  // What lies between the PEs: [r][c] enters PE(r,c); activations and their tags move right, the rest moves down.
  tag_t               step_tag       [    ROWS][COLUMNS+1];
  logic signed [ 7:0] activation_wire[    ROWS][COLUMNS+1];
  tag_t               drain_tag      [  ROWS+1][  COLUMNS];
  logic signed [ 7:0] weight_wire    [  ROWS+1][  COLUMNS];
  logic signed [31:0] result_wire    [  ROWS+1][  COLUMNS];

  assign step_issue   = step_tag[0][0];
  assign step_corner  = step_tag[ROWS-1][COLUMNS-1];
  assign drain_issue  = drain_tag[0][0];
  assign drain_corner = drain_tag[ROWS-1][COLUMNS-1];

  weight_port #(
      .ROW_BITS(8 * COLUMNS)
  ) port (
      .clock,
      .reset,
      .port_bits,
      .taken(valid & room),
      .beat(weight_beat),
      .complete(issue),
      .row(weight_row)
  );

  os_controller #(
      .ROWS(ROWS)
  ) controller (
      .clock,
      .reset,
      .policy,
      .drain_all,
      .issue,
      .last,
      .fold,
      .height,
      .drained(drain_tag[ROWS][COLUMNS-1].valid & drain_tag[ROWS][COLUMNS-1].last),
      .room,
      .drain
  );

  generate
    for (genvar r = 0; r < ROWS; r++) begin : gen_left
      os_skew #(
          .DEPTH(r)
      ) activation_skew (
          .clock,
          .reset,
          .tag_in('{issue, first, last, fold, index}),
          .value_in(activation[r]),
          .tag_out(step_tag[r][0]),
          .value_out(activation_wire[r][0])
      );
    end

    for (genvar c = 0; c < COLUMNS; c++) begin : gen_top
      os_skew #(
          .DEPTH(c)
      ) weight_skew (
          .clock,
          .reset,
          .tag_in(drain),
          .value_in(weight_row[8*c+:8]),
          .tag_out(drain_tag[0][c]),
          .value_out(weight_wire[0][c])
      );
      assign result_wire[0][c] = '0;
      assign result_tag[c]     = drain_tag[ROWS][c];
      assign result[c]         = result_wire[ROWS][c];
    end

    for (genvar r = 0; r < ROWS; r++) begin : gen_row
      for (genvar c = 0; c < COLUMNS; c++) begin : gen_column
        os_pe pe (
            .clock,
            .reset,
            .step_in(step_tag[r][c]),
            .activation_in(activation_wire[r][c]),
            .weight_in(weight_wire[r][c]),
            .drain_in(drain_tag[r][c]),
            .result_in(result_wire[r][c]),
            .step_out(step_tag[r][c+1]),
            .activation_out(activation_wire[r][c+1]),
            .weight_out(weight_wire[r+1][c]),
            .drain_out(drain_tag[r+1][c]),
            .result_out(result_wire[r+1][c])
        );
      end
    end
  endgenerate

endmodule
