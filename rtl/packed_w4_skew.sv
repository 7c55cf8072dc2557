// The stairs at an edge of the array: what enters comes out DELAY cycles later.
module packed_w4_skew #(
    parameter int WIDTH = 1,
    parameter int DELAY = 0
) (
    input  logic             clock,
    input  logic             reset,
    input  logic [WIDTH-1:0] entering,
    output logic [WIDTH-1:0] leaving
);

  if (DELAY == 0) begin : g_none
    // verilator lint_off UNUSED
    logic unused;  // the first step of the stairs has no register
    // verilator lint_on UNUSED
    assign unused  = clock ^ reset;
    assign leaving = entering;
  end else begin : g_line
    logic [DELAY-1:0][WIDTH-1:0] line;
    assign leaving = line[DELAY-1];
    always_ff @(posedge clock) line <= reset ? '0 : (DELAY * WIDTH)'({line, entering});
  end

endmodule
