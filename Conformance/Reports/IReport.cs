using Conformance.Running;

namespace Conformance.Reports;

/// <summary>Tells how the cases went.</summary>
internal interface IReport
{
    /// <summary>One case is done.</summary>
    void Add(CaseResult result);

    /// <summary>All are done.</summary>
    void Complete();
}
