// The weight port: collects one row of COLUMNS weights from beats of `lanes` weights; the last beat passes through.
module os_port #(
    parameter int COLUMNS = 4
) (
    input  logic               clock,
    input  logic               reset,
    input  logic        [15:0] lanes,
    input  logic               take,
    input  logic signed [ 7:0] beat    [COLUMNS],
    output logic               complete,
    output logic signed [ 7:0] row     [COLUMNS]
);

  localparam int Width = COLUMNS > 1 ? $clog2(COLUMNS) : 1;

  logic        [Width-1:0] filled;  // weights collected in earlier beats
  logic signed [      7:0] collected[COLUMNS];

  assign complete = 17'(filled) + 17'(lanes) >= 17'(COLUMNS);

  generate
    for (genvar c = 0; c < COLUMNS; c++) begin : gen_column
      assign row[c] = 17'(filled) > 17'(c) ? collected[c] : beat[Width'(c)-filled];
    end
  endgenerate

  always_ff @(posedge clock) begin
    if (reset) filled <= '0;
    else if (take) filled <= complete ? '0 : filled + Width'(lanes);
    if (take) collected <= row;
  end

endmodule
