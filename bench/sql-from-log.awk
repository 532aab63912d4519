# Makes a pgbench script of the statements that PostgreSQL logged (log_statement = all) for one request, so that the
# reference runs exactly the server's SQL and cannot drift from it. All statements go in one pipeline.
#
# Reads the log; takes the last transaction of it. Variables:
#   tenant, row      the numbers of four digits (see load.sql) that the request was about
#   tenants, rows    how many there are
#   created, number  the id that the request made and the number of 14 digits that its name and key hold, for create
# Values that stand for one of these become variables of pgbench; every other value stays as it was.

function expression(value,    text) {
    if (value ~ ("^01930000-0000-7000-800[01]-00000000" tenant "$"))
        return "('" substr(value, 1, 32) "' || :t)::uuid"
    if (value == "0193" row "-" tenant "-7000-8000-000000000000")
        return "('0193' || :r || :t || '70008000000000000000')::uuid"
    if (created != "" && value == created)
        return "('0199' || :n || '00000000000000')::uuid"
    if (number != "" && length(value) < 40 && index(value, number))
        return "('" substr(value, 1, index(value, number) - 1) "' || :n)"
    # A colon would start a variable of pgbench.
    if (value ~ /:/) {
        text = value
        gsub(/\\/, "&&", text)
        gsub(/:/, "\\x3a", text)
        return "E'" text "'"
    }
    return "'" value "'"
}

# "$1 = 'a', $2 = NULL": values into bound[], quotes within them left doubled.
function read_parameters(text,    at, rest, end, count) {
    delete bound
    count = 0
    while (match(text, /^(, )?\$[0-9]+ = /)) {
        count++
        rest = substr(text, RLENGTH + 1)
        if (substr(rest, 1, 4) == "NULL") {
            bound[count] = "NULL"
            text = substr(rest, 5)
            continue
        }
        end = 2
        while (substr(rest, end, 1) != "'" || substr(rest, end + 1, 1) == "'")
            end += (substr(rest, end, 1) == "'") ? 2 : 1
        bound[count] = expression(substr(rest, 2, end - 2))
        text = substr(rest, end + 1)
    }
    return count
}

# Puts the values into the last statement; the highest number first, because $1 is also the start of $10.
function bind(count,    i, at, token) {
    for (i = count; i >= 1; i--) {
        token = "$" i
        while ((at = index(statements[last], token)) > 0)
            statements[last] = substr(statements[last], 1, at - 1) bound[i] substr(statements[last], at + length(token))
    }
}

function add(statement) { statements[++last] = statement }

# The server's watcher asks the database by itself, for no tenant. Backends are told apart by the "[pid]" of their lines.
function backend(    at) { return match($0, /\[[0-9]+\]/) ? substr($0, RSTART, RLENGTH) : "" }

/ LOG:  statement: BEGIN/ && /00000000-0000-0000-0000-000000000000/ { next }
/ LOG:  statement: BEGIN/ { mine = backend() }
/ (LOG|DETAIL): / && backend() != mine { next }

/ LOG:  statement: BEGIN/ {
    last = 0
    text = $0
    sub(/.* LOG:  statement: /, "", text)
    split(text, parts, /; */)
    add(parts[1])
    # SET takes no parameters. The function does the same, and its work is the same but for a row of one column.
    add("SELECT set_config('app.tenant_id', '01930000-0000-7000-8000-00000000' || :t, true)")
    next
}
/ LOG:  execute [^:]*: / { text = $0; sub(/.* LOG:  execute [^:]*: /, "", text); add(text); next }
/ DETAIL:  parameters: / { text = $0; sub(/.* DETAIL:  parameters: /, "", text); bind(read_parameters(text)); next }
/ LOG:  statement: COMMIT/ { add("COMMIT"); complete = last; next }

END {
    if (!complete) { print "no whole transaction in the log" > "/dev/stderr"; exit 1 }
    print "\\set t random(1000, " 999 + tenants ")"
    print "\\set r random(1000, " 999 + rows ")"
    print "\\set n random(10000000000000, 99999999999999)"
    print "\\startpipeline"
    for (i = 1; i <= complete; i++) print statements[i] ";"
    print "\\endpipeline"
}
