// A packed W4 weight-stationary systolic array of ROWS x COLUMNS PEs: K on the rows (two slots each), N on the columns.
//
// A weight row issued in cycle i is written in PE(r,c) at the end of cycle i+r+c; a pass issued in cycle s is computed
// in PE(r,c) in cycle s+r+c. What enters is offered with valid and taken when ready; only the moment is decided here.
module packed_w4_array
  import packed_w4_pkg::*;
#(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4
) (
    input logic clock,
    input logic reset,

    // Configuration, steady while the array works.
    input policy_t policy,
    input logic    load_all_rows,
    input number_t port_bits,

    // Weights: the beats of one row after the other.
    input  logic                 load_valid,
    output logic                 load_ready,
    input  number_t              load_fold,
    input  number_t              load_row,
    input  number_t              load_used_rows,  // rows of the tile that hold values
    input  logic [8*COLUMNS-1:0] load_beat,

    // Streamed rows.
    input  logic                      row_valid,
    output logic                      row_ready,
    input  number_t                   row_fold,
    input  number_t                   row_row,
    input  mode_t                     row_mode,
    input  logic                      row_both_slots,
    input  logic                      row_first,      // of its results: nothing to add to
    input  logic                      row_last,       // of its fold
    input  address_t                  row_address,
    input  logic [1:0][ROWS-1:0][7:0] row_codes,

    // Results.
    input  address_t                   result_address,
    output logic [COLUMNS-1:0][31:0]   result,

    // What the tags say in this cycle at the corners: entering PE(0,0), and in PE(R-1,C-1).
    output logic    load_issue_valid,
    output number_t load_issue_fold,
    output number_t load_issue_row,
    output logic    row_issue_valid,
    output number_t row_issue_fold,
    output number_t row_issue_row,
    output mode_t   row_issue_mode,
    output logic    row_issue_pass,
    output logic    compute_valid,
    output number_t compute_fold,
    output number_t compute_row,
    output mode_t   compute_mode,
    output logic    compute_pass
);

  // What PE(r,c) takes from its neighbours: [r][c]; what leaves at the far edges: [r][COLUMNS], [ROWS][c].
  // verilator lint_off UNUSED
  row_tag_t  row_tags    [ROWS][COLUMNS+1];  // the last column's tags go nowhere, but for the last row's
  word_t     activations [ROWS][COLUMNS+1];
  load_tag_t load_tags   [ROWS+1][COLUMNS];  // weights end with the last row
  word_t     weights     [ROWS+1][COLUMNS];
  // verilator lint_on UNUSED
  sum_t      sums        [ROWS+1][COLUMNS];

  // Control: everything that it knows of the rows comes from their tags.
  logic load_buffer, stream_allowed, stream_buffer;
  load_tag_t load_tag;
  row_tag_t offered_tag, row_tag;
  logic [COLUMNS-1:0][7:0] load_words;
  logic [ROWS-1:0][7:0] row_words;

  packed_w4_controller controller (
      .clock,
      .reset,
      .policy,
      .tile_loaded(load_tag.valid && load_tag.last),
      .tile_streamed(row_tag.valid && row_tag.last),
      .tile_drained(row_tags[ROWS-1][COLUMNS].valid && row_tags[ROWS-1][COLUMNS].last),
      .load_allowed(load_ready),
      .load_buffer,
      .stream_allowed,
      .stream_buffer
  );

  weight_port #(
      .ROW_BITS(8 * COLUMNS)
  ) port (
      .clock,
      .reset,
      .port_bits,
      .taken(load_valid && load_ready),
      .beat(load_beat),
      .complete(load_tag.valid),
      .row(load_words)
  );

  assign load_tag.last = load_row + 1 == (load_all_rows ? 16'(ROWS) : load_used_rows);
  assign load_tag.buffer = load_buffer;
  assign load_tag.fold = load_fold;
  assign load_tag.row = load_row;

  assign offered_tag = '{
          valid: row_valid,
          last: row_last,
          mode: row_mode,
          pass: 1'b0,
          buffer: 1'b0,
          first: row_first,
          fold: row_fold,
          row: row_row,
          address: row_address
      };

  packed_w4_row_issue #(
      .ROWS(ROWS)
  ) row_issue (
      .clock,
      .reset,
      .allowed(stream_allowed),
      .buffer(stream_buffer),
      .ready(row_ready),
      .offered(offered_tag),
      .both_slots(row_both_slots),
      .codes(row_codes),
      .tag(row_tag),
      .words(row_words)
  );

  // The stairs: row r enters r cycles late, column c enters c cycles late.
  for (genvar r = 0; r < ROWS; r++) begin : g_left
    packed_w4_skew #(
        .WIDTH($bits(row_tag_t) + 8),
        .DELAY(r)
    ) skew (
        .clock,
        .reset,
        .entering({row_tag, row_words[r]}),
        .leaving ({row_tags[r][0], activations[r][0]})
    );
  end

  for (genvar c = 0; c < COLUMNS; c++) begin : g_top
    packed_w4_skew #(
        .WIDTH($bits(load_tag_t) + 8),
        .DELAY(c)
    ) skew (
        .clock,
        .reset,
        .entering({load_tag, load_words[c]}),
        .leaving ({load_tags[0][c], weights[0][c]})
    );
    assign sums[0][c] = '0;
  end

  for (genvar r = 0; r < ROWS; r++) begin : g_row
    for (genvar c = 0; c < COLUMNS; c++) begin : g_column
      packed_w4_pe pe (
          .clock,
          .reset,
          .row_tag(row_tags[r][c]),
          .activation(activations[r][c]),
          .row_tag_right(row_tags[r][c+1]),
          .activation_right(activations[r][c+1]),
          .load_tag(load_tags[r][c]),
          .weight(weights[r][c]),
          .load_tag_below(load_tags[r+1][c]),
          .weight_below(weights[r+1][c]),
          .sum(sums[r][c]),
          .sum_below(sums[r+1][c])
      );
    end
  end

  for (genvar c = 0; c < COLUMNS; c++) begin : g_bottom
    packed_w4_accumulator accumulator (
        .clock,
        .tag(row_tags[ROWS-1][c+1]),
        .sum(sums[ROWS][c]),
        .read_address(result_address),
        .result(result[c])
    );
  end

  assign load_issue_valid = load_tags[0][0].valid;
  assign load_issue_fold = load_tags[0][0].fold;
  assign load_issue_row = load_tags[0][0].row;

  assign row_issue_valid = row_tags[0][0].valid;
  assign row_issue_fold = row_tags[0][0].fold;
  assign row_issue_row = row_tags[0][0].row;
  assign row_issue_mode = row_tags[0][0].mode;
  assign row_issue_pass = row_tags[0][0].pass;

  assign compute_valid = row_tags[ROWS-1][COLUMNS-1].valid;
  assign compute_fold = row_tags[ROWS-1][COLUMNS-1].fold;
  assign compute_row = row_tags[ROWS-1][COLUMNS-1].row;
  assign compute_mode = row_tags[ROWS-1][COLUMNS-1].mode;
  assign compute_pass = row_tags[ROWS-1][COLUMNS-1].pass;

endmodule
