// Decides when: steps of the next fold may enter once the policy leaves room for their sums, and a fold drains right
// behind its last step, or behind the drain before it. Which fold and which step it is comes with the data.
module os_controller
  import os_types::*;
#(
    parameter int ROWS = 4
) (
    input  logic           clock,
    input  logic           reset,
    input  policy_t        policy,
    input  logic           drain_all,  // drain all rows of the array, or only those that hold sums
    input  logic           issue,      // a step enters the array in this cycle
    input  logic           last,       // it is the last one of its fold
    input  logic    [15:0] fold,
    input  logic    [15:0] height,
    input  logic           drained,    // the last drain tag of a fold has left PE(R-1,C-1)
    output logic           room,       // a step may be taken from outside
    output tag_t           drain
);

  logic        opening;    // the next step is the first one of a fold
  logic        undrained;  // results of the latest fold are still on their way
  logic        pending;    // a fold is complete and has not begun to drain
  logic        draining;   // a drain has begun and is not over
  logic        begins;     // the pending fold's drain begins in this cycle
  logic        free;
  logic [15:0] pending_fold, pending_rows, drain_fold, drain_rows, drain_index;

  assign begins = pending & ~draining;

  always_comb begin
    case (policy)
      SERIAL:  free = ~undrained | drained;
      SINGLE:  free = ~pending & ~draining;
      default: free = ~pending | begins;
    endcase
    room = ~opening | free;
    if (draining) drain = '{1'b1, 1'b0, drain_index + 16'd1 == drain_rows, drain_fold, drain_index};
    else drain = '{begins, 1'b1, pending_rows == 16'd1, pending_fold, 16'd0};
  end

  always_ff @(posedge clock) begin
    if (issue) opening <= last;

    if (issue & last) undrained <= 1'b1;
    else if (drained) undrained <= 1'b0;

    if (issue & last) begin
      pending      <= 1'b1;
      pending_fold <= fold;
      pending_rows <= drain_all ? 16'(ROWS) : height;
    end else if (begins) begin
      pending <= 1'b0;
    end

    if (drain.valid) draining <= ~drain.last;
    drain_index <= drain.index + 16'd1;
    if (begins) begin
      drain_fold <= pending_fold;
      drain_rows <= pending_rows;
    end

    if (reset) begin
      opening   <= 1'b1;
      undrained <= 1'b0;
      pending   <= 1'b0;
      draining  <= 1'b0;
    end
  end

endmodule
