// The vtep executable. Filled by the commands in Commands/.
return 0;
