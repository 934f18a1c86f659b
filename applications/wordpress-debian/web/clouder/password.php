<?php
// password.php USER: gives a user the password that stands on the first line of standard input.
require __DIR__ . '/load.php';

$user = get_user_by('login', $argv[1] ?? '');
$password = rtrim((string) fgets(STDIN), "\r\n");
if (!$user || $password === '') {
    fwrite(STDERR, $user ? "there is no password\n" : "there is no such user\n");
    exit(64);
}
wp_set_password($password, $user->ID);
echo "the password of {$user->user_login} is set\n";
