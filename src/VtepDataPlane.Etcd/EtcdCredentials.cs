// Certificates, key and password, as files hold them now. They are short-lived in many places and replaced while we run: the connection
// compares the stamp, a hash over all contents, and makes a new channel when it differs. A pair caught half replaced doesn't load;
// the connection then stays with what it has and looks again.

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace VtepDataPlane.Etcd;

/// <summary>What we prove ourselves by, and whom we trust. Thread-safe: it holds nothing.</summary>
internal sealed class EtcdCredentials(EtcdOptions options)
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Differs when any file differs; a file that can't be read counts as empty.</summary>
    public string Stamp()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string? file in (string?[])[options.CaFile, options.CertificateFile, options.KeyFile, options.PasswordFile])
        {
            hash.AppendData(file is null ? [] : ContentOf(file));
            hash.AppendData([0]);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>For <c>https</c>: our certificate, and whom we trust.</summary>
    /// <exception cref="EtcdException">Refused: a file that isn't what it should be.</exception>
    public SslClientAuthenticationOptions Ssl()
    {
        var ssl = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (options.CaFile is { } authorities)
            ssl.CertificateChainPolicy = Load("authorities' certificates", authorities, () => TrustOnly(authorities));
        if (options.CertificateFile is { } certificate)
            ssl.ClientCertificateContext = Load("certificate and key", certificate, () => Own(certificate, options.KeyFile));
        return ssl;
    }

    /// <summary>The user's password.</summary>
    /// <exception cref="EtcdException">Refused: no file, or one that others can read.</exception>
    public string Password()
    {
        if (options.PasswordFile is not { } file)
            throw new EtcdException(EtcdFailure.Refused, $"There is no password for etcd user {Shown(options.User)}. Name a password file.");
        return Load("password", file, () => PasswordIn(file));
    }

    private static byte[] ContentOf(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // told when it is loaded
        }
    }

    private static X509ChainPolicy TrustOnly(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy.CustomTrustStore.Count > 0 ? policy : throw new CryptographicException("it holds no certificate");
    }

    // the file may hold intermediate certificates behind ours; servers that know only the root need them
    private static SslStreamCertificateContext Own(string file, string? keyFile)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(file);
        var own = X509Certificate2.CreateFromPemFile(file, keyFile);
        return SslStreamCertificateContext.Create(own, chain, offline: true);
    }

    private static string PasswordIn(string file)
    {
        using FileStream open = File.OpenRead(file);
        UnixFileMode mode = OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(open.SafeFileHandle);
        if ((mode & Others) != 0)
        {
            throw new EtcdException(EtcdFailure.Refused,
                $"Others can read the password file {Shown(file)} (mode {Convert.ToString((int)mode, 8)}). Make it its owner's: chmod 600, and change the password.");
        }

        using var text = new StreamReader(open, Encoding.UTF8);
        return text.ReadToEnd().TrimEnd('\r', '\n');
    }

    private static T Load<T>(string what, string file, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            string reason = VtepConfigRules.Escape(e.Message.TrimEnd('.'));
            throw new EtcdException(EtcdFailure.Refused, $"The {what} for etcd can't be taken from {Shown(file)}: {reason}. Put the right file there.", e);
        }
    }

    private static string Shown(string? text) => VtepConfigRules.Quote(text ?? "");
}
