// Delays a value and its tag by DEPTH cycles: what enters array row or column DEPTH arrives that much later.
module os_skew
  import os_types::*;
#(
    parameter int DEPTH = 0
) (
    input  logic              clock,
    input  logic              reset,
    input  tag_t              tag_in,
    input  logic signed [7:0] value_in,
    output tag_t              tag_out,
    output logic signed [7:0] value_out
);

  generate
    if (DEPTH == 0) begin : gen_none
      // verilator lint_off UNUSEDSIGNAL
      logic unused;  // nothing is kept, so nothing is clocked
      // verilator lint_on UNUSEDSIGNAL
      assign unused = clock & reset;
      assign tag_out = tag_in;
      assign value_out = value_in;
    end else begin : gen_line
      tag_t              tags  [DEPTH];
      logic signed [7:0] values[DEPTH];
      always_ff @(posedge clock) begin
        tags[0]   <= reset ? '0 : tag_in;
        values[0] <= value_in;
        for (int stage = 1; stage < DEPTH; stage++) begin
          tags[stage]   <= reset ? '0 : tags[stage-1];
          values[stage] <= values[stage-1];
        end
      end
      assign tag_out   = tags[DEPTH-1];
      assign value_out = values[DEPTH-1];
    end
  endgenerate

endmodule
