<?php
// users.php set 5 | limit | count: the ceiling of users, and how many there are.
require __DIR__ . '/load.php';

[$word, $value] = [$argv[1] ?? '', $argv[2] ?? ''];
if ($word === 'set' && preg_match('/^\d{1,9}$/', $value)) {
    update_option('clouder_user_limit', $value);
} elseif ($word === 'limit') {
    echo get_option('clouder_user_limit', ''), "\n";
} elseif ($word === 'count') {
    echo count_users()['total_users'], "\n";
} else {
    fwrite(STDERR, "usage: users.php set NUMBER | limit | count\n");
    exit(64);
}
